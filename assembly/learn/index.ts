// Learning's kernels: called with pointers into the tfjs WASM backend's own memory (build/learn.wasm) or into the arena
// of helper threads (build/learn.shared.wasm). They allocate nothing and keep no state: the host passes scratch.
export { conv2d, conv2dInputGradient, conv2dScratch } from './conv2d';
export { conv2dInputGradientStrided, conv2dInputGradientStridedScratch } from './conv2dInputGradientStrided';
export {
  conv2dFilterGradient,
  conv2dFilterGradientFirstRow,
  conv2dFilterGradientScratch,
  conv2dFilterGradientTileRows,
} from './conv2dFilterGradient';
export { matMul, matMulScratch } from './matMul';
export { avgPoolGradient, maxPoolGradient } from './pool';
export { depthwiseFilterGradient, depthwiseInputGradient } from './depthwise';
export { rowSum, segmentSum } from './sums';
export { reluGradient, upsampleConcat, upsampleConcatGradient } from './unet';
