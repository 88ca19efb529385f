import type { InceptionInfo } from '../learn/inception/inception.js';

/** Which features a result was made with, for readers; a stand-in says so loudly. */
export function featuresText({ weights, layers, source }: InceptionInfo): string {
  const names = layers.join(' + ');
  return weights === 'imagenet'
    ? `Inception layers ${names}, ImageNet weights`
    : `layers ${names} of a RANDOM stand-in for Inception (${source}): no ImageNet weights found or wanted`;
}
