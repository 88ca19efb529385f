/**
 * The part of the WebAssembly JavaScript API that metasim uses. TypeScript has it only in the DOM library, which would
 * also bring in hundreds of browser globals that Node lacks.
 */
declare namespace WebAssembly {
  interface MemoryDescriptor {
    initial: number;
    maximum?: number;
    shared?: boolean;
  }
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer;
    /** Adds pages of 64 KiB and returns the number there were before. */
    grow(delta: number): number;
  }
  class Global {
    constructor(descriptor: { value: string; mutable?: boolean }, value?: unknown);
    // biome-ignore lint/suspicious/noExplicitAny: as in TypeScript's own declaration
    value: any;
  }
  type Imports = Record<string, Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: as in TypeScript's own declaration
  type Exports = Record<string, any>;
  class Module {
    constructor(bytes: ArrayBufferView | ArrayBuffer);
    static imports(module: Module): { module: string; name: string; kind: string }[];
    static exports(module: Module): { name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}
  function compile(bytes: ArrayBufferView | ArrayBuffer): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function validate(bytes: ArrayBufferView | ArrayBuffer): boolean;
}
