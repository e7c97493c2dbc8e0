// A trained policy in the page: the forward pass of policy.py's JSON.

/**
 * @typedef {object} PolicyData
 * @property {"discrete"|"continuous"} kind
 * @property {{inputs: number, outputs: number, activation: "tanh"|"relu"|"none"}[]} layers
 * @property {string} weights base64 of little-endian float32: of each layer the rows of its matrix, then its biases
 * @property {{mean: number[], scale: number[]}} [norm] of the observation, before the first layer
 */

/**
 * The outputs of the network for one observation: logits or means.
 * @param {PolicyData} data
 * @returns {(obs: number[]) => number[]}
 */
export function network(data) {
  const bytes = Uint8Array.from(atob(data.weights), (letter) => letter.charCodeAt(0));
  const numbers = new Float32Array(bytes.buffer);
  let at = 0;
  const layers = data.layers.map(({ inputs, outputs, activation }) => {
    const matrix = numbers.subarray(at, at + inputs * outputs);
    const bias = numbers.subarray(at + inputs * outputs, at + inputs * outputs + outputs);
    at += inputs * outputs + outputs;
    return { inputs, outputs, activation, matrix, bias };
  });
  return (obs) => {
    let x = data.norm ? obs.map((value, i) => (value - (data.norm?.mean[i] ?? 0)) / (data.norm?.scale[i] ?? 1)) : obs;
    for (const { inputs, outputs, activation, matrix, bias } of layers) {
      const y = new Array(outputs);
      for (let row = 0; row < outputs; row++) {
        let sum = bias[row];
        for (let column = 0; column < inputs; column++) sum += matrix[row * inputs + column] * x[column];
        y[row] = activation === "tanh" ? Math.tanh(sum) : activation === "relu" ? Math.max(sum, 0) : sum;
      }
      x = y;
    }
    return x;
  };
}

/**
 * The most probable action: the index of the largest logit, or the mean. Clipping is the environment's part.
 * @param {PolicyData} data
 * @returns {(obs: number[]) => number}
 */
export function actor(data) {
  const outputs = network(data);
  if (data.kind === "continuous") return (obs) => outputs(obs)[0];
  return (obs) => {
    const logits = outputs(obs);
    return logits.indexOf(Math.max(...logits));
  };
}
