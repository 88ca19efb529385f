import { TrainingError } from '../errors.js';
import { tf } from './tf.js';

/** A trained tensor under the name it has in checkpoints (tfjs's own names are unique per process, not per model). */
export interface NamedVariable {
  readonly name: string;
  readonly variable: tf.Variable;
}

/** Values of a tensor outside tfjs. */
export interface StoredTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Gradients by variable name. Tensors belong to whoever holds the record. */
export type Gradients = Record<string, tf.Tensor>;

/**
 * A scalar and its gradients. Variables that it does not depend on are absent.
 * @param loss builds the scalar from tfjs ops; called once, its intermediates are freed
 * @returns value and gradients, both the caller's to dispose
 */
export function variableGradients(
  loss: () => tf.Scalar,
  variables: readonly NamedVariable[],
): { value: tf.Scalar; gradients: Gradients } {
  const { value, grads } = tf.variableGrads(
    loss,
    variables.map(({ variable }) => variable),
  );
  const gradients: Gradients = {};
  for (const { name, variable } of variables) {
    const gradient = grads[variable.name];
    if (gradient) gradients[name] = gradient;
  }
  return { value, gradients };
}

/** Copies of the variables' values, by name. */
export async function saveVariables(variables: readonly NamedVariable[]): Promise<Record<string, StoredTensor>> {
  const stored: Record<string, StoredTensor> = {};
  for (const { name, variable } of variables) {
    stored[name] = { shape: [...variable.shape], data: Float32Array.from(await variable.data<'float32'>()) };
  }
  return stored;
}

/**
 * Gives variables the values of `stored`; nothing is changed unless all of them fit.
 * @throws TrainingError when a name is missing or unknown, or a shape differs
 */
export function loadVariables(variables: readonly NamedVariable[], stored: Record<string, StoredTensor>): void {
  const names = new Set(variables.map(({ name }) => name));
  for (const name of Object.keys(stored)) {
    if (!names.has(name)) throw new TrainingError(`Expected only this model's weights but received "${name}"`);
  }
  for (const { name, variable } of variables) {
    const found = stored[name];
    if (!found) throw new TrainingError(`Expected weights named "${name}" but received none`);
    const size = variable.shape.reduce((product, length) => product * length, 1);
    if (found.shape.join() !== variable.shape.join() || found.data.length !== size) {
      throw new TrainingError(
        `Expected shape [${variable.shape}] for "${name}" but received [${found.shape}] with ${found.data.length} values`,
      );
    }
  }
  for (const { name, variable } of variables) assignValues(variable, stored[name].data);
}

/** Sets a variable's values, copying them. */
export function assignValues(variable: tf.Variable, values: Float32Array): void {
  // Backends may keep the array they are given, so hand over one of their own.
  const tensor = tf.tensor(values.slice(), variable.shape, 'float32');
  variable.assign(tensor);
  tensor.dispose();
}
