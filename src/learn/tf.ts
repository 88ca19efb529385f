/**
 * The one place that imports tfjs-core: everything in `learn/` and below takes `tf` from here, so that there is one
 * engine, one registry of kernels and one place to change. `initBackend` (backend.ts) chooses what computes. Gradients
 * come with it, because tfjs-core's build for Node leaves its own out.
 */
import './gradients.js';
import './spatialGradients.js';

export * as tf from '@tensorflow/tfjs-core';
