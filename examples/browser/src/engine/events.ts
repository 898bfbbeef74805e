/** Server-sent events whose data is JSON (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export async function* eventsOf<T>(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<T> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (text + value).split(/\r?\n\r?\n/);
      text = events.pop()!; // not ended yet
      for (const event of events) {
        const lines = event.split(/\r?\n/).flatMap((line) => (line.startsWith('data:') ? [line.slice(5)] : []));
        if (lines.length > 0) yield JSON.parse(lines.join('\n'));
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined); // a loop that is left wants no more
  }
}
