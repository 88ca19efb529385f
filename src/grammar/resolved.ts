import type { CountDistribution, Distribution } from './distributions.js';
import type { RoleName, ScenePredicate } from './schema.js';

/**
 * A grammar after variables, templates, short forms and defaults have been filled in: what `Grammar.definition` shows,
 * what is hashed, and what sampling is compiled from. YAML and TypeScript that mean the same resolve to the same.
 */
export interface ResolvedGrammar {
  readonly name: string;
  readonly canvas: { readonly width: number; readonly height: number; readonly channels: 1 | 3 };
  readonly attributes: readonly ResolvedAttribute[];
  readonly classes: readonly ResolvedClass[];
  readonly nodes: readonly ResolvedProduction[];
  readonly constraints: readonly ResolvedConstraint[];
  readonly sampling: { readonly maxAttempts: number; readonly retry: 'scene' | 'node' };
}

export interface ResolvedAttribute {
  readonly name: string;
  readonly role: RoleName;
  readonly unit: string;
  readonly range: readonly [number, number];
  readonly periodic: boolean;
  readonly default: Distribution;
}

/** Assets drawn from: a group by weight, then evenly among all that match one of its patterns. `none` is no asset. */
export interface ResolvedAssetGroup {
  readonly globs: readonly string[];
  readonly weight: number;
}

export interface ResolvedClass {
  readonly name: string;
  /** Empty: a frame without a sprite. */
  readonly asset: readonly ResolvedAssetGroup[];
  /** By attribute name; the attribute's default where absent. */
  readonly attributes: Readonly<Record<string, Distribution>>;
  readonly mutable: readonly string[];
}

export type ResolvedProduction = ResolvedNode | ResolvedChoice;

export interface ResolvedNode {
  readonly kind: 'node';
  readonly count: CountDistribution;
  /** Drawn evenly. */
  readonly classes: readonly string[];
  /** Instead of the class's, where given. */
  readonly asset?: readonly ResolvedAssetGroup[];
  readonly attributes: Readonly<Record<string, Distribution>>;
  readonly mutable?: readonly string[];
  readonly children: readonly ResolvedProduction[];
}

export interface ResolvedChoice {
  readonly kind: 'choice';
  readonly count: CountDistribution;
  readonly alternatives: readonly { readonly weight: number; readonly production: ResolvedProduction }[];
}

export type ResolvedConstraint =
  | {
      readonly kind: 'minDistance';
      readonly name: string;
      readonly between: readonly string[];
      readonly and: readonly string[];
      readonly distance: number;
    }
  | {
      readonly kind: 'noOverlap';
      readonly name: string;
      readonly between: readonly string[];
      readonly and: readonly string[];
      readonly margin: number;
    }
  | {
      readonly kind: 'insideCanvas';
      readonly name: string;
      readonly classes: readonly string[];
      readonly margin: number;
      readonly extent: 'origin' | 'circle';
    }
  | { readonly kind: 'predicate'; readonly name: string; readonly predicate: ScenePredicate };
