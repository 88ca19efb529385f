// The engine's kernels: one module, one shared memory, no allocation (the host owns the layout and passes pointers).
// Each file exports its own kernels; layout.ts draws every record they share.
export * from './layout';
export { coverMesh } from './mesh/cover';
export { drawMeshes } from './mesh/draw';
export * from './mesh/layout';
export { meshSceneScratchBytes, renderMeshScene } from './mesh/render';
export { openMeshScene } from './mesh/scene';
export { placeMeshSubtree } from './mesh/subtree';
export { meshScratchBytes } from './mesh/state';
export { meshPerturbationVjp } from './mesh/vjp';
export { meshVjpScratchBytes } from './mesh/vjpScratch';
export * from './regions';
export * from './render';
export * from './strokes';
export * from './verify';
export * from './vjp';
