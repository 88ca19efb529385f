/**
 * The error classes of metasim. Every error thrown on purpose is a `MetasimError` with a stable `code`; messages read
 * "Expected ⟨what⟩ for ⟨name⟩ but received ⟨value⟩" and say where, as far as a file and a path are known.
 */

export class MetasimError extends Error {
  /** Stable machine-readable identifier, e.g. `SCENE_GRAPH`. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A configuration, option, flag or grammar that does not follow its schema. */
export class ConfigError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('CONFIG', message, options);
  }
}

/** A grammar that cannot be read, resolved or sampled; names file, line and path where they are known. */
export class GrammarError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('GRAMMAR', message, options);
  }
}

/** A scene graph or an encoded batch of them that is malformed; names the field. */
export class SceneGraphError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('SCENE_GRAPH', message, options);
  }
}

/** A tensor or typed array whose shape or length is not the expected one. */
export class ShapeError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('SHAPE', message, options);
  }
}

/** The WASM kernels cannot be loaded, or one of their workers failed. */
export class KernelError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('KERNEL', message, options);
  }
}

/** A texture, mesh or weight file that is missing, unreadable or too large. */
export class AssetError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('ASSET', message, options);
  }
}

/** A dataset that is missing, damaged, or cannot be written. */
export class DatasetError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('DATASET', message, options);
  }
}

/** Training or a task network failed, or a checkpoint does not fit. */
export class TrainingError extends MetasimError {
  constructor(message: string, options?: ErrorOptions) {
    super('TRAINING', message, options);
  }
}

const BY_CODE: Record<string, new (message: string) => MetasimError> = {
  CONFIG: ConfigError,
  GRAMMAR: GrammarError,
  SCENE_GRAPH: SceneGraphError,
  SHAPE: ShapeError,
  KERNEL: KernelError,
  ASSET: AssetError,
  DATASET: DatasetError,
  TRAINING: TrainingError,
};

/** Rebuilds an error that crossed a thread as `{ code, message }` (structured clone drops the class). */
export function errorFromCode(code: string, message: string): MetasimError {
  const Class = BY_CODE[code];
  return Class ? new Class(message) : new MetasimError(code, message);
}
