// A model some of whose experts are absent: not trained yet, or withdrawn. A page loads this only with such a model; what it
// shares with other code is handed over, so that bundlers need no further chunk for that.
//
// The router still knows all clusters. Among those that are there the posterior of a picture is
// p(k | x_t, t, k is there) = p(k | x_t, t) / Σ_{j is there} p(j | x_t, t), which is the softmax of the logits of those alone: the
// mixture is then that of the pictures of their clusters (DDM, arXiv 2501.05450, eq. 4 without the other clusters).
import type { ModelNetworks, Router } from '@paris/model';
import type { Device, Tensor } from '@paris/tensor';
import type { ExpertShelf } from '../residency/shelf.js';

/** Added to a logit, leaves the probability 0 exactly; WebGPU promises nothing for infinities. */
const never = -1e30;

/** What changes for a model without some experts. */
export interface PartialModel {
  /** The networks with a router that gives absent experts the probability 0 and renormalises that of the others. */
  readonly networks: ModelNetworks;
  /** A shelf without the absent experts: its `acquire` refuses them, whatever a policy chooses. */
  shelf(shelf: ExpertShelf): ExpertShelf;
  dispose(): void;
}

/** @param refuse - called with what is wrong with a choice */
export function partialModel(
  device: Device,
  networks: ModelNetworks,
  absent: readonly number[],
  refuse: (what: string) => never,
): PartialModel {
  const { router, experts } = networks;
  const isThere = (k: number) => !absent.includes(k);
  const mask = device.tensor(
    Float32Array.from(experts, (_, k) => (isThere(k) ? 0 : never)),
    { shape: [1, experts.length] },
  );
  return {
    networks: router ? { ...networks, router: { ...router, network: masked(router.network, mask) } } : networks,
    shelf: (shelf) => presentShelf(shelf, isThere, refuse),
    dispose: () => mask.dispose(),
  };
}

function masked(router: Router, mask: Tensor): Router {
  return { ...router, logits: (params, input) => router.logits(params, input).cast('f32').add(mask) };
}

function presentShelf(
  shelf: ExpertShelf,
  isThere: (expert: number) => boolean,
  refuse: (what: string) => never,
): ExpertShelf {
  return {
    experts: shelf.experts,
    get resident() {
      return new Set([...shelf.resident].filter(isThere));
    },
    get residency() {
      return shelf.residency;
    },
    async acquire(expert, signal) {
      if (isThere(expert)) return shelf.acquire(expert, signal);
      const there = [...shelf.experts.keys()].filter(isThere).join(', ');
      return refuse(`expert ${expert} is absent from this model. Choose among ${there}`);
    },
  };
}
