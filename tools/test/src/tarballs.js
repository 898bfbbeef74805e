// The packages as npm would publish them, packed, and a project outside the workspace that has installed them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './markdown.js';

/** @typedef {{ name: string, file: string }} Tarball */

/**
 * Packs packages, all if none is named, into a folder.
 * @param {string} folder @param {{ root?: string, names?: readonly string[] }} [from] @returns {Tarball[]}
 */
export function packAll(folder, { root = ROOT, names = readdirSync(join(root, 'packages')) } = {}) {
  return names.map((name) => {
    const options = { cwd: join(root, 'packages', name), encoding: /** @type {const} */ ('utf8'), stdio: QUIET };
    const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', folder], options));
    return { name: packed.name, file: join(folder, packed.filename) };
  });
}
/** @type {['ignore', 'pipe', 'ignore']} */
const QUIET = ['ignore', 'pipe', 'ignore'];

/**
 * A project with the packages unpacked and, of everything else, exactly what they declare (with `optional`, also those
 * of their optional peers); `installed` are the names of all. Nothing comes over the network: the versions are the workspace's.
 * @param {readonly Tarball[]} tarballs
 * @param {{ optional?: readonly string[], files?: Record<string, string> }} [options]
 */
export function makeProject(tarballs, { optional = [], files = {} } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'paris-outside-'));
  const modules = join(folder, 'node_modules');
  const wanted = new Set(optional);
  for (const { name, file } of tarballs) {
    const target = join(modules, name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', file, '-C', target, '--strip-components=1']);
    const {
      dependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
    for (const dependency of Object.keys(dependencies)) wanted.add(dependency);
    for (const peer of Object.keys(peerDependencies)) if (!peerDependenciesMeta[peer]?.optional) wanted.add(peer);
  }
  for (const name of wanted) {
    if (tarballs.some((tarball) => tarball.name === name)) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  const all = { 'package.json': JSON.stringify({ name: 'outside', private: true, type: 'module' }), ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  const installed = [...new Set([...tarballs.map(({ name }) => name), ...wanted])];
  return { folder, installed, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
