import type { Message } from './module.js';
import type { FunctionInfo, ModuleScope } from './scope.js';

export function checkUniformity(_functions: readonly FunctionInfo[], _module: ModuleScope): Message[] {
  return [];
}
