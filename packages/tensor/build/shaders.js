// Writes shader functions into what we publish as WGSL: TypeGPU resolves them here, once, so that a page brings no shader
// compiler and a kernel waits for none. Their sources stay typed functions, which tests run as they are.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import typegpu from 'unplugin-typegpu/vite';
import { createServer } from 'vite';

const TYPES = ['f32', 'i32', 'u32', 'bool'];
const conditions = ['@paris/source', 'module', 'node', 'development|production'];

/** A plugin of tsdown, which replaces every call of `fn` and `element` (src/shader/fn.ts). @returns {import('rolldown').Plugin} */
export function shaders() {
  /** @type {import('vite').ViteDevServer | undefined} */
  let server;
  return {
    name: 'paris-shaders',
    async buildStart() {
      server = await createServer({
        root: fileURLToPath(new URL('..', import.meta.url)),
        configFile: false,
        logLevel: 'error',
        appType: 'custom',
        server: { middlewareMode: true, hmr: false, watch: null, ws: false },
        optimizeDeps: { noDiscovery: true },
        resolve: { conditions },
        ssr: { resolve: { conditions } },
        plugins: [shown, typegpu()],
      });
    },
    async buildEnd() {
      await server?.close();
    },
    transform: {
      order: 'pre',
      filter: { id: /\.ts$/, code: "'use gpu'" },
      async handler(code, id) {
        const calls = callsOf(code, id);
        if (calls.length === 0 || !server) return null;
        const made = await server.ssrLoadModule(id);
        let text = code;
        for (const { start, end, name, callee } of calls.reverse()) {
          const value = made[SHOWN + name];
          const wgsl = callee === 'fn' ? shortened(value) : kernelsOf(value.op);
          text = text.slice(0, start) + JSON.stringify(wgsl) + text.slice(end);
        }
        return text;
      },
    },
  };
}

const SHOWN = 'shown_';
/** Exports the constants that are made by such calls. @type {import('vite').Plugin} */
const shown = {
  name: 'paris-shown',
  enforce: 'pre',
  transform(code, id) {
    if (!id.endsWith('.ts') || !code.includes("'use gpu'")) return;
    const names = new Set(callsOf(code, id).map(({ name }) => `${name} as ${SHOWN}${name}`));
    return `${code}\nexport { ${[...names].join(', ')} };\n`;
  },
};

/**
 * The calls of `fn` and `element`, in order, each with the constant that it is a part of.
 * @param {string} code @param {string} id
 */
function callsOf(code, id) {
  const source = ts.createSourceFile(id, code, ts.ScriptTarget.Latest, true);
  /** @type {{ start: number, end: number, name: string, callee: 'fn' | 'element' }[]} */
  const calls = [];
  let directives = 0;
  const visit = (/** @type {ts.Node} */ node, /** @type {string} */ name) => {
    if (ts.isExpressionStatement(node) && node.expression.getText() === "'use gpu'") directives += 1;
    if (ts.isCallExpression(node) && /^(fn|element)$/.test(node.expression.getText())) {
      const callee = node.expression.getText() === 'fn' ? 'fn' : 'element';
      calls.push({ start: node.getStart(), end: node.getEnd(), name, callee });
    }
    ts.forEachChild(node, (child) => visit(child, name));
  };
  for (const statement of source.statements) {
    if (!ts.isVariableStatement(statement)) visit(statement, '');
    else
      for (const { name, initializer } of statement.declarationList.declarations) {
        if (initializer) visit(initializer, name.getText());
      }
  }
  const lost = calls.find(({ name }) => name === '');
  if (lost || directives !== calls.length) {
    throw new Error(`${id}: shader functions are constants of a module, each made by one call of fn or element.`);
  }
  return calls;
}

/** The functions of an op's kernels, one for each type that it takes. @param {any} op */
function kernelsOf(op) {
  /** @type {Record<string, unknown>} */
  const kernels = {};
  for (const dtype of TYPES) {
    const inputs = [0, 1].map(() => ({ shape: [], dtype }));
    try {
      op.infer(inputs);
    } catch {
      continue; // it does not take these
    }
    const call = (/** @type {any} */ kernel) => {
      const { declarations } = shortened(kernel);
      // TypeGPU remembers one name of a body, that of the last type.
      const own = declarations.pop()?.replace(/^fn \w+/, `fn ${op.name}_${dtype}`);
      kernels[dtype] = { declarations: [...declarations, own] };
      return '';
    };
    op.emit({ inputs, read: () => '', call });
  }
  return kernels;
}

/** Without indentation. @param {any} made @returns {{ declarations: string[] }} */
function shortened({ declarations }) {
  return { declarations: declarations.map((/** @type {string} */ text) => text.replace(/\n\s*/g, '\n')) };
}
