// Turbo without its notices: the first lines that a stranger sees are ours. Called by scripts of package.json, for which npm
// puts `turbo` on the path.
import { spawnSync } from 'node:child_process';

const { error, status } = spawnSync('turbo', process.argv.slice(2), {
  stdio: 'inherit',
  // On Windows it is a script of the shell.
  shell: process.platform === 'win32',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', TURBO_NO_UPDATE_NOTIFIER: '1' },
});
if (error) console.error(error.message);
process.exitCode = status ?? 1;
