/** Tasks that a starter can be made for. */
export const STARTER_TASKS = ['classification', 'segmentation', 'command'] as const;
export type StarterTask = (typeof STARTER_TASKS)[number];
