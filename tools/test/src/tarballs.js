// The packages as npm would publish them, packed, and a project outside the workspace that has installed them.
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from './markdown.js';

/** @typedef {{ name: string, file: string }} Tarball */

/**
 * Packs packages, all if none is named, into a folder.
 * @param {string} folder @param {{ root?: string, names?: readonly string[] }} [from] @returns {Tarball[]}
 */
export function packAll(folder, { root = ROOT, names = readdirSync(join(root, 'packages')) } = {}) {
  const options = { cwd: root, encoding: /** @type {const} */ ('utf8'), stdio: QUIET };
  const pack = ['pack', '--json', '--pack-destination', folder, ...workspaces(names)];
  const output = execFileSync('npm', pack, options);
  /** @type {{ name: string, filename: string }[]} */
  const packed = JSON.parse(output);
  return packed.map(({ name, filename }) => ({ name, file: join(folder, filename) }));
}

/** What tells npm the packages that a command is for, all if none is named. @param {readonly string[]} names */
export function workspaces(names = readdirSync(join(ROOT, 'packages'))) {
  return names.map((name) => `--workspace=packages/${name}`);
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
  const wanted = new Map(optional.map((name) => [name, installed(name)]));
  for (const { name, file } of tarballs) {
    const target = join(modules, name);
    mkdirSync(target, { recursive: true });
    execFileSync('tar', ['-xzf', file, '-C', target, '--strip-components=1']);
    const {
      dependencies = {},
      peerDependencies = {},
      peerDependenciesMeta = {},
    } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
    const peers = Object.keys(peerDependencies).filter((peer) => !peerDependenciesMeta[peer]?.optional);
    for (const wants of [...Object.keys(dependencies), ...peers]) wanted.set(wants, installed(wants, name));
  }
  for (const [name, place] of wanted) {
    if (tarballs.some((tarball) => tarball.name === name)) continue;
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(place, join(modules, name));
  }
  const all = { 'package.json': JSON.stringify({ name: 'outside', private: true, type: 'module' }), ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(folder, name), text);
  const names = [...new Set([...tarballs.map(({ name }) => name), ...wanted.keys()])];
  return { folder, installed: names, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * Where the workspace has a dependency: npm puts some into the package that wants them.
 * @param {string} dependency @param {string} [name] of the package
 */
function installed(dependency, name) {
  const own = name && join(ROOT, 'packages', name.replace(/^@[^/]+\//, ''), 'node_modules', dependency);
  return own && existsSync(own) ? own : join(ROOT, 'node_modules', dependency);
}
