// A short form of the tensor library's suites on a page of a real Chromium, on its software adapter or a GPU.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { CHROMIUM, launchChromium } from '../chromium.js';
import { Counter } from '../counter.js';
import { ROOT } from '../markdown.js';
import { bundleSuites } from './bundle.js';
import { count } from './count.js';

const SCRIPT = join(ROOT, '.cache', 'runtimes', 'chromium', 'suites.js');
// Headless Chromium has no adapter unless a flag selects the software one.
const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const counter = new Counter();
if (CHROMIUM) await run();
else counter.skip('Chromium', 'chromium', 'none is installed; PARIS_CHROMIUM names one that is elsewhere');
counter.end();

async function run() {
  const { suites } = await bundleSuites(SCRIPT);
  // WebGPU is there for secure origins only, of which localhost is one.
  const server = createServer(({ url }, response) => {
    const script = url === '/suites.js';
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    response.end(script ? readFileSync(SCRIPT) : '<!doctype html><title>Suites</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const browser = await launchChromium(FLAGS);
  const { outcome, summary } = count(counter, 'Chromium');
  try {
    const page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error') console.error(message.text());
    });
    await page.exposeFunction('report', outcome);
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.addScriptTag({ url: '/suites.js', type: 'module' });
    await page.waitForFunction(() => 'runEverything' in globalThis);
    const adapter = await page.evaluate(() => {
      const { runEverything, report } = /** @type {any} */ (globalThis);
      return runEverything({ brief: true, require: 'webgpu', report });
    });
    console.log(`Chromium ${browser.version()}, ${suites} files on ${adapter}: ${summary()}`);
  } catch (error) {
    counter.fail('Chromium', error instanceof Error ? error.message : String(error));
  } finally {
    await browser.close();
    server.close();
  }
}
