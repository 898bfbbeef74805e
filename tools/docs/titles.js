// A plugin of TypeDoc, which names a guide after its file: here after its first heading.
import { Converter } from 'typedoc';

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_, document) => {
    document.name = /^# (.+)$/m.exec(document.content[0]?.text ?? '')?.[1] ?? document.name;
  });
}
