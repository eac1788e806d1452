// Principal components by power iteration: enough for two directions of some thousand poses.

const ROUNDS = 60;

/** @param {number[][]} points */
export function principal(points) {
  const size = points[0]?.length ?? 0;
  const mean = Array.from({ length: size }, (_, k) => points.reduce((sum, point) => sum + point[k], 0) / points.length);
  const cov = Array.from({ length: size }, (_, i) =>
    Array.from(
      { length: size },
      (_, j) => points.reduce((sum, point) => sum + (point[i] - mean[i]) * (point[j] - mean[j]), 0) / points.length,
    ),
  );
  const dot = (/** @type {number[]} */ a, /** @type {number[]} */ b) => a.reduce((sum, x, k) => sum + x * b[k], 0);
  const total = cov.reduce((sum, row, k) => sum + row[k], 0) || 1;
  /** @type {number[][]} */
  const axes = [];
  /** @type {number[]} */
  const shares = [];
  for (let axis = 0; axis < Math.min(2, size); axis++) {
    let v = Array.from({ length: size }, (_, k) => Math.sin(k + 1 + axis));
    let length = 0;
    for (let round = 0; round < ROUNDS; round++) {
      v = cov.map((row) => dot(row, v));
      for (const other of axes) {
        const along = dot(v, other);
        v = v.map((x, k) => x - along * other[k]);
      }
      length = Math.sqrt(dot(v, v)) || 1;
      v = v.map((x) => x / length);
    }
    axes.push(v);
    shares.push(length / total);
  }
  return {
    shares,
    /** @param {number[]} point */
    project: (point) =>
      axes.map((axis) =>
        dot(
          axis,
          point.map((x, k) => x - mean[k]),
        ),
      ),
  };
}
