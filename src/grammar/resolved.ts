import type { Camera } from '../scene/sceneGraph.js';
import type { CountDistribution, Distribution } from './distributions.js';
import type { RoleName } from './roles.js';
import type { KindName, ScenePredicate } from './schema.js';
import type { Quantity } from './scope.js';

/** A distribution whose numbers may be expressions of what has been drawn before. */
export type ResolvedDistribution = Distribution<Quantity>;
export type ResolvedCount = CountDistribution<Quantity>;

/**
 * A grammar after variables, templates, short forms and defaults have been filled in: what `Grammar.definition` shows,
 * what is hashed, and what sampling is compiled from. YAML and TypeScript that mean the same resolve to the same.
 */
export interface ResolvedGrammar {
  readonly name: string;
  /** With `camera`, in 3D; left out of 2D grammars. */
  readonly dimension?: 3;
  readonly camera?: Camera;
  /** Left out where there are none. */
  readonly parameters?: readonly ResolvedParameter[];
  readonly canvas: { readonly width: number; readonly height: number; readonly channels: 1 | 3 };
  readonly attributes: readonly ResolvedAttribute[];
  readonly classes: readonly ResolvedClass[];
  readonly nodes: readonly ResolvedProduction[];
  readonly constraints: readonly ResolvedConstraint[];
  readonly sampling: { readonly maxAttempts: number; readonly retry: 'scene' | 'node' };
}

/** Drawn once a scene, or once for each node of a production and what is below it. */
export interface ResolvedParameter {
  readonly name: string;
  readonly distribution: ResolvedDistribution;
  /** Names of the values 0, 1, …, where they have names. */
  readonly names?: readonly string[];
}

export interface ResolvedAttribute {
  readonly name: string;
  readonly role: RoleName;
  readonly unit: string;
  readonly range: readonly [number, number];
  readonly periodic: boolean;
  readonly default: ResolvedDistribution;
}

/** Assets drawn from: a group by weight, then evenly among all that match one of its patterns. `none` is no asset. */
export interface ResolvedAssetGroup {
  readonly globs: readonly string[];
  readonly weight: Quantity;
}

export interface ResolvedClass {
  readonly name: string;
  /** 3D; left out for objects. */
  readonly kind?: Exclude<KindName, 'object'>;
  /** Empty: a frame without a sprite. */
  readonly asset: readonly ResolvedAssetGroup[];
  /** By attribute name; the attribute's default where absent. */
  readonly attributes: Readonly<Record<string, ResolvedDistribution>>;
  readonly mutable: readonly string[];
}

export type ResolvedProduction = ResolvedNode | ResolvedChoice;

/** What all productions have. */
interface ResolvedNumber {
  /** 1 where there is a `spacing`. */
  readonly count: ResolvedCount;
  /** Left out where nodes stand as their attributes say. */
  readonly spacing?: ResolvedSpacing;
  /** Left out where there are none. */
  readonly parameters?: readonly ResolvedParameter[];
}

/** Places one behind the other. */
export interface ResolvedSpacing {
  readonly along: string;
  readonly from: ResolvedDistribution;
  readonly to: ResolvedDistribution;
  readonly gap: ResolvedDistribution;
  readonly most?: ResolvedCount;
}

/** Where an end of a node is, and on which side of it the node lies. */
export interface ResolvedAlignment {
  readonly at: ResolvedDistribution;
  readonly side: Quantity;
}

export interface ResolvedNode extends ResolvedNumber {
  readonly kind: 'node';
  /** By attribute name; left out where there are none. */
  readonly align?: Readonly<Record<string, ResolvedAlignment>>;
  /** Drawn evenly. */
  readonly classes: readonly string[];
  /** Instead of the class's, where given. */
  readonly asset?: readonly ResolvedAssetGroup[];
  readonly attributes: Readonly<Record<string, ResolvedDistribution>>;
  readonly mutable?: readonly string[];
  readonly children: readonly ResolvedProduction[];
}

export interface ResolvedChoice extends ResolvedNumber {
  readonly kind: 'choice';
  readonly alternatives: readonly { readonly weight: Quantity; readonly production: ResolvedProduction }[];
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
      /** 3D; left out in 2D: circles. */
      readonly extent?: 'circle' | 'box';
    }
  | {
      readonly kind: 'inView';
      readonly name: string;
      readonly classes: readonly string[];
      readonly margin: number;
      readonly extent: 'origin' | 'box';
      readonly nearest?: number;
      readonly farthest?: number;
    }
  | {
      readonly kind: 'insideCanvas';
      readonly name: string;
      readonly classes: readonly string[];
      readonly margin: number;
      readonly extent: 'origin' | 'circle';
    }
  | { readonly kind: 'predicate'; readonly name: string; readonly predicate: ScenePredicate };
