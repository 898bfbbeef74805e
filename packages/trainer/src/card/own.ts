// Whose the card of a model folder is.
import { type FileStore, sha256 } from '@paris/files';
import { indexPath, parseModelIndex } from '@paris/model';
import { CARD_FILE } from './card.js';

/**
 * Whether the card of a model folder may be written: there is none, or it is as we wrote it. A card of somebody's own stays, and
 * is no longer listed in the index.
 */
export async function mayWriteCard(out: FileStore): Promise<boolean> {
  if (!(await out.exists(CARD_FILE))) return true;
  if (!(await out.exists(indexPath))) return false;
  const { files } = parseModelIndex(await out.read(indexPath));
  const listed = files.find(({ path }) => path === CARD_FILE);
  return listed !== undefined && listed.sha256 === (await sha256(await out.read(CARD_FILE)));
}
