/** Stages of a run as a person reads them. */
export const STAGE_LABELS: Readonly<Record<string, string>> = {
  features: 'target features',
  warmStart: 'warm start',
  pretrain: 'pre-training',
  meta: 'meta-training',
  evaluate: 'evaluation',
};
