// Compute pipelines by their text: kernels that read the same share one, whatever plan they belong to.
import type { Kernel } from '../compile/generate.js';
import { ParisError } from '../errors.js';
import { Recent } from './recent.js';

/** Pipelines that are kept, the last used. A training has a few dozen. */
const pipelinesKept = 2048;

/** GPUShaderStage.COMPUTE: the constant is not global everywhere that WebGPU is. */
const computeStage = 4;

export class Pipelines {
  private readonly kept = new Recent<Promise<GPUComputePipeline>>(pipelinesKept);
  created = 0;

  constructor(private readonly gpu: GPUDevice) {}

  /** The pipeline of a kernel, compiled when it is first asked for. Throws ParisError if the text does not compile. */
  get({ code, label, layout }: Kernel): Promise<GPUComputePipeline> {
    return this.kept.get(code, () => {
      this.created++;
      // In a scope of its own: text that does not compile is the error of this graph, not the end of the device.
      this.gpu.pushErrorScope('validation');
      const module = this.gpu.createShaderModule({ code, label });
      const scope = this.gpu.popErrorScope();
      const entries = layout.map((type, binding) => ({ binding, visibility: computeStage, buffer: { type } }));
      const bindings = this.gpu.createBindGroupLayout({ entries });
      return this.gpu
        .createComputePipelineAsync({
          layout: this.gpu.createPipelineLayout({ bindGroupLayouts: [bindings] }),
          compute: { module, entryPoint: 'main' },
          label,
        })
        .catch(async (cause: Error) => {
          this.kept.delete(code);
          const said = (await scope)?.message ?? cause.message;
          throw new ParisError(
            label,
            `the kernel does not compile: ${said.trim()} If none of these ops is yours, it is a bug of ours.`,
            { cause },
          );
        });
    });
  }
}
