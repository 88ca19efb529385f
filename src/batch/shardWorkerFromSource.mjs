// Entry of a shard worker when metasim runs from its TypeScript files (tests, benches): see shardPool.ts.
import { register } from 'tsx/esm/api';

register();
const { default: makeShard } = await import('./shardWorker.ts');

export default makeShard;
