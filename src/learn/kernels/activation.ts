/** Activations that our kernels apply to their result; codes of assembly/learn/microKernel.ts. */
export const ACTIVATIONS: Readonly<Record<string, number>> = { linear: 0, relu: 1, relu6: 2 };
