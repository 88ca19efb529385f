import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ALL_OUTPUTS, MeshStage, type StagedView } from '../../bench/meshStage.js';
import { at, box, floor, numbers, quad, SMALL, soup } from './meshFixtures.js';
import { referenceMeshes } from './referenceMeshes.js';

const close = (a: number, b: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(a - b) <= tolerance, `${what}: ${a}, expected ${b}`);

test('a quad at 5 m: its pixels, depth, colour, id, class and normal', () => {
  // 2 m wide and 1 m high at 5 m with f = 40 px: 16 × 8 px around (32, 24).
  const stage = new MeshStage([{ data: quad(2, 1, [0.25, 0.5, 0.75]) }]);
  for (const samples of [1, 4] as const) {
    const { color, ids, classes, depth, normals } = stage.draw({ ...SMALL, samples }, [
      { mesh: 0, id: 7, class: 3, matrix: at(0, 0, 5) },
    ]);
    for (let y = 0; y < 48; y++) {
      for (let x = 0; x < 64; x++) {
        const i = y * 64 + x;
        const seen = x >= 24 && x < 40 && y >= 20 && y < 28;
        assert.is(ids![i], seen ? 7 : 0, `id at ${x}, ${y}`);
        assert.is(classes![i], seen ? 3 : 0);
        close(depth![i], seen ? 5 : 0, 1e-6, 'depth');
        close(color![3 * i + 1], seen ? 0.5 : 0, 1e-6, 'green');
        assert.equal([...normals!.subarray(3 * i, 3 * i + 3)], seen ? [0, 0, -1] : [0, 0, 0]);
      }
    }
  }
});

test('texture coordinates are right in perspective', () => {
  // A wall along x = 1 from 2 m to 10 m, u along it. Pixel x sees z = f · 1 / (x + ½ − cx), so u = (z − 2) / 8.
  // The texture rises by one grey level a texel: 32 texels, bilinear between their centres.
  const pixels = Uint8Array.from({ length: 4 * 32 }, (_, i) => 4 * (i >> 2));
  const wall = {
    ...quad(8, 2),
    texture: { width: 32, height: 1, format: 'rgba8' as const, pixels },
  };
  // The quad's x axis goes along z, its front (−z) to −x, where the camera is.
  const matrix = [0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0, 6];
  const stage = new MeshStage([{ data: wall }]);
  // So large a picture that no mip level is taken.
  const view = { width: 640, height: 40, fx: 600, fy: 600, cx: 320, cy: 20 };
  const { color, depth } = stage.draw(view, [{ mesh: 0, matrix }]);
  for (const x of [390, 450, 520, 600]) {
    const z = 600 / (x + 0.5 - 320);
    const u = (z - 2) / 8;
    close(depth![20 * 640 + x], z, 2e-5 * z, 'depth');
    close(color![3 * (20 * 640 + x)], (4 * (32 * u - 0.5)) / 255, 2e-5, `texel at ${x}`);
  }
});

test('mip levels: a texture much finer than pixels is its mean', () => {
  // A chessboard of 64 × 64 texels on 8 × 8 px.
  const pixels = Uint8Array.from({ length: 4 * 64 * 64 }, (_, i) => (((i >> 2) ^ (i >> 8)) & 1 ? 255 : 0));
  const data = { ...quad(1, 1), texture: { width: 64, height: 64, format: 'rgba8' as const, pixels } };
  const { color, ids } = new MeshStage([{ data }]).draw(SMALL, [{ mesh: 0, matrix: at(0, 0, 5) }]);
  let seen = 0;
  for (const [i, id] of ids!.entries()) {
    if (id === 0) continue;
    seen++;
    close(color![3 * i], 128 / 255, 1e-6, 'mean');
  }
  assert.is(seen, 64);
});

test('what crosses the near plane is cut there', () => {
  // A floor 1 m below from behind the camera to 20 m: row y + ½ below the horizon sees z = f / (y + ½ − cy).
  const stage = new MeshStage([{ data: floor(-5, 5, -10, 20) }]);
  const { depth, ids } = stage.draw({ ...SMALL, near: 2 }, [{ mesh: 0, matrix: at(0, 1, 0) }]);
  for (let y = 0; y < 48; y++) {
    const z = 40 / (y + 0.5 - 24);
    const seen = y >= 24 && z >= 2 && z <= 20;
    assert.is(ids![y * 64 + 32], seen ? 1 : 0, `row ${y}`);
    if (seen) close(depth![y * 64 + 32], z, 1e-5 * z, 'depth');
  }
  const { ids: none } = stage.draw({ ...SMALL, far: 4 }, [{ mesh: 0, matrix: at(0, 1, 0) }]);
  // The far plane at 4 m: row 34 sees 3.8 m, row 33 4.2 m.
  assert.equal([none![33 * 64 + 32], none![34 * 64 + 32]], [0, 1]);
});

test('a floor that goes on for kilometres on all sides keeps its depth', () => {
  const stage = new MeshStage([{ data: floor(-5000, 5000, -5000, 5000) }]);
  const view = { width: 1242, height: 375, fx: 721.5, fy: 721.5, cx: 609.6, cy: 172.9 };
  const { depth } = stage.draw(view, [{ mesh: 0, matrix: at(0, 1.65, 0) }]);
  for (const y of [374, 300, 200, 180]) {
    const z = (721.5 * 1.65) / (y + 0.5 - 172.9);
    for (const x of [0, 621, 1241]) close(depth![y * 1242 + x], z, 1e-4 * z, `row ${y}`);
  }
});

test('back faces are not drawn, also where a matrix mirrors', () => {
  const stage = new MeshStage([{ data: quad(2, 2) }]);
  const seen = (matrix: number[]) => stage.draw(SMALL, [{ mesh: 0, matrix }]).ids!.some((id) => id !== 0);
  assert.ok(seen(at(0, 0, 5)));
  assert.not.ok(seen([-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 5]), 'turned about');
  assert.ok(seen([-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 5]), 'mirrored');
});

test('the nearer hides the farther in either order; at the same place the first stays', () => {
  const stage = new MeshStage([{ data: quad(2, 2) }]);
  const centre = (a: number, b: number) =>
    stage.draw(SMALL, [
      { mesh: 0, matrix: at(0, 0, a) },
      { mesh: 0, matrix: at(0, 0, b) },
    ]).ids![24 * 64 + 32];
  assert.equal([centre(5, 5.01), centre(5.01, 5), centre(5, 5)], [1, 2, 1]);
});

test('ground at the same height is drawn in the order of nodes, however its triangles lie', () => {
  const field = floor(-60, 70, -30, 130, [0, 1, 0], 7);
  const road = floor(-3, 3, -10, 97, [0, 0, 1], 13);
  const line = floor(-0.3, 0.3, 1, 55, [1, 0, 0], 5);
  const stage = new MeshStage([field, road, line].map((data) => ({ data, surface: 'ground' as const })));
  const view = { ...SMALL, width: 200, height: 150, fx: 120, fy: 120, cx: 100, cy: 40 };
  for (const samples of [1, 4] as const) {
    const instances = [0, 1, 2].map((mesh) => ({ mesh, matrix: at(0, 1.5, 0) }));
    const { ids } = stage.draw({ ...view, samples }, instances);
    for (let y = 44; y < 150; y++) {
      const z = (120 * 1.5) / (y + 0.5 - 40);
      for (let x = 0; x < 200; x++) {
        const across = ((x + 0.5 - 100) * z) / 120;
        // A pixel that an edge crosses may be either's.
        const wide = 0.51 * (z / 120);
        if ([3, 0.3].some((edge) => Math.abs(Math.abs(across) - edge) < wide)) continue;
        const lined = Math.abs(across) < 0.3 && z < 50 && z > 1.2;
        if (Math.abs(across) < 0.3 && !lined && z > 50) continue;
        assert.is(ids![y * 200 + x], lined ? 3 : Math.abs(across) < 3 && z < 90 ? 2 : 1, `${x}, ${y}`);
      }
    }
    // The other way round, the field covers all.
    const covered = stage.draw(
      { ...view, samples },
      [2, 1, 0].map((mesh) => ({ mesh, matrix: at(0, 1.5, 0) })),
    ).ids!;
    assert.ok(covered.subarray(50 * 200, 140 * 200).every((id) => id === 3));
  }
});

test('a shadow lies where the light puts it, takes its share of the sun once, and only on ground', () => {
  // Sun 45° high from the left: a box 1 m high casts 1 m to the right. Two boxes in the same place cast one shadow.
  const stage = new MeshStage([{ data: floor(-20, 20, 1, 40), surface: 'ground' }, { data: box(1, 1, 1) }]);
  const half = Math.SQRT1_2;
  const view: StagedView = {
    ...SMALL,
    width: 320,
    height: 200,
    fx: 200,
    fy: 200,
    cx: 160,
    cy: 20,
    light: [-half, -half, 0],
    sun: [0.5, 0.5, 0.5],
    ambient: [0.3, 0.3, 0.3],
    ground: 2,
    shadow: 0.6,
    shadows: true,
  };
  const instances = [{ mesh: 0, matrix: at(0, 2, 0) }, ...[1, 1].map((mesh) => ({ mesh, matrix: at(0, 1.5, 8) }))];
  const lit = 0.3 + 0.5 * half;
  const dark = 0.3 + 0.5 * half * 0.4;
  for (const samples of [1, 4] as const) {
    const { color, ids } = stage.draw({ ...view, samples }, instances);
    const groundAt = (x: number, z: number) => {
      const i = Math.floor((200 * 2) / z + 20) * 320 + Math.floor((200 * x) / z + 160);
      return ids![i] === 1 ? color![3 * i] : Number.NaN;
    };
    for (const [x, z] of [
      [0.7, 8],
      [1.4, 7.7],
      [1.4, 8.3],
    ])
      close(groundAt(x, z), dark, 1e-5, `shadow at ${x}, ${z}`);
    for (const [x, z] of [
      [1.65, 8],
      [-0.7, 8],
      [1, 7.3],
      [1.4, 8.8],
    ])
      close(groundAt(x, z), lit, 1e-5, `light at ${x}, ${z}`);
    const without = stage.draw({ ...view, samples, shadows: false }, instances).color!;
    assert.ok(
      [...ids!.entries()].every(([i, id]) => id !== 2 || color![3 * i] === without[3 * i]),
      'none on the box',
    );
  }
});

test('haze keeps exp(−haze · z) of a colour', () => {
  const stage = new MeshStage([{ data: quad(20, 20, [1, 0, 0]) }]);
  const view = { ...SMALL, haze: 0.02, hazeColor: [0.5, 0.6, 0.7] };
  for (const z of [1, 10, 60, 400]) {
    const { color } = stage.draw(view, [{ mesh: 0, matrix: at(0, 0, z) }]);
    const kept = Math.exp(-0.02 * z);
    const i = 3 * (24 * 64 + 32);
    for (const [c, own] of [1, 0, 0].entries()) {
      close(color![i + c], view.hazeColor[c] + (own - view.hazeColor[c]) * kept, 1e-6, `${z} m`);
    }
  }
});

test('the sky goes from the horizon to the zenith', () => {
  const view = { ...SMALL, sky: true, horizon: [0.8, 0.9, 1], zenith: [0.2, 0.4, 0.8] };
  const { color, ids, depth } = new MeshStage([]).draw(view, []);
  for (const [x, y] of [
    [32, 0],
    [3, 10],
    [60, 23],
    [10, 40],
  ]) {
    const [dx, dy] = [(x + 0.5 - 32) / 40, (y + 0.5 - 24) / 40];
    const t = Math.max(0, -dy / Math.hypot(dx, dy, 1));
    const i = y * 64 + x;
    for (let c = 0; c < 3; c++) {
      close(color![3 * i + c], view.horizon[c] + (view.zenith[c] - view.horizon[c]) * t * (2 - t), 1e-6, `${x}, ${y}`);
    }
    assert.equal([ids![i], depth![i]], [0, 0]);
  }
});

test('a strip along an arc is where the circle is', () => {
  // Curvature 1/20 m to the right: the circle around (20, 0). A strip 2 m wide, 30 m long, 1.5 m below the camera.
  const strip = floor(-0.5, 0.5, 0, 1, [1, 1, 1], 64);
  const stage = new MeshStage([{ data: strip, surface: 'ground' }]);
  const view = { ...SMALL, width: 300, height: 200, fx: 150, fy: 150, cx: 100, cy: 20 };
  const bent = { stretch: [2, 1, 30], offset: [0.5, 0, 0], curvature: 1 / 20, curvatureRate: 0 };
  const { ids } = stage.draw(view, [{ mesh: 0, matrix: at(0, 1.5, 0), bent }]);
  let seen = 0;
  for (let y = 22; y < 200; y++) {
    for (let x = 0; x < 300; x++) {
      const z = (150 * 1.5) / (y + 0.5 - 20);
      const worldX = ((x + 0.5 - 100) * z) / 150;
      // To the right of the curve by 20 − its distance from the centre; 64 chords of 0.47 m stray by 1.4 mm.
      const across = 20 - Math.hypot(worldX - 20, z);
      const along = 20 * Math.atan2(z, 20 - worldX);
      const edge = Math.min(Math.abs(across + 0.5), Math.abs(across - 1.5), Math.abs(along), Math.abs(along - 30));
      if (edge < 0.02) continue;
      const inside = across > -0.5 && across < 1.5 && along > 0 && along < 30;
      assert.is(ids![y * 300 + x], inside ? 1 : 0, `${x}, ${y}`);
      seen += inside ? 1 : 0;
    }
  }
  assert.ok(seen > 3000);
});

test('triangles of every kind are the naive rasteriser in f64: colour, depth, holder of every sample away from edges', () => {
  const meshes = [{ data: soup(60, 1.5, 3) }, { data: soup(400, 1.2, 4) }, { data: box(1, 2, 1.5, [0.9, 0.5, 0.2]) }];
  const stage = new MeshStage(meshes);
  const turn = [0.8, 0, 0.6, -0.6, 0, 1.3, 0, 0.2, -0.6, 0, 0.8, 6];
  const instances = [
    { mesh: 0, matrix: at(0.4, 0.1, 5) },
    { mesh: 1, matrix: at(-1, -0.3, 6), tint: [1, 0.7, 0.4] },
    { mesh: 2, matrix: turn, tint: [0.5, 1, 1] },
  ];
  const view: StagedView = {
    ...SMALL,
    light: [0.48, -0.6, -0.64],
    sun: [0.6, 0.5, 0.4],
    ambient: [0.3, 0.35, 0.4],
    haze: 0.05,
    hazeColor: [0.7, 0.8, 0.9],
    horizon: [0.1, 0.2, 0.3],
  };
  const one = stage.draw(view, instances);
  const expected = referenceMeshes(view, meshes, instances);
  let checked = 0;
  for (let i = 0; i < 64 * 48; i++) {
    if (expected.margin[i] < 1e-3) continue;
    checked++;
    assert.is(one.ids![i], expected.holder[i], `holder of pixel ${i}`);
    close(one.depth![i], expected.depth[i], 3e-5 * expected.depth[i], 'depth');
    for (let c = 0; c < 3; c++) close(one.color![3 * i + c], expected.color[3 * i + c], 2e-4, 'colour');
  }
  assert.ok(checked > 2800);
  const four = stage.draw({ ...view, samples: 4 }, instances);
  const sampled = referenceMeshes({ ...view, samples: 4 }, meshes, instances);
  let labels = 0;
  for (let i = 0; i < 64 * 48; i++) {
    if ([0, 1, 2, 3].some((k) => sampled.margin[4 * i + k] < 1e-3)) continue;
    labels++;
    const held = [0, 1, 2, 3].map((number) => [0, 1, 2, 3].filter((k) => sampled.holder[4 * i + k] === number));
    const nearest = (ks: number[]) => Math.min(...ks.map((k) => sampled.depth[4 * i + k] || Infinity));
    const best = [0, 1, 2, 3].reduce((a, b) =>
      held[b].length > held[a].length || (held[b].length === held[a].length && nearest(held[b]) < nearest(held[a]))
        ? b
        : a,
    );
    assert.is(four.ids![i], best, `label of pixel ${i}`);
    const sum = held[best].reduce((s, k) => s + 1 / sampled.depth[4 * i + k], 0);
    if (best > 0) close(four.depth![i], held[best].length / sum, 1e-4 * four.depth![i], 'depth of four');
    for (let c = 0; c < 3; c++) {
      const mean = [0, 1, 2, 3].reduce((s, k) => s + sampled.color[3 * (4 * i + k) + c], 0) / 4;
      // Samples of one triangle are shaded in their middle: exact but for perspective.
      close(four.color![3 * i + c], mean, 4e-3, 'colour of four');
    }
  }
  assert.ok(labels > 2000);
});

test('a plane of random triangles covers every sample of its rectangle, and each once', () => {
  // A jittered grid, every cell (still convex) cut along a random diagonal, every triangle in its own colour. Drawn in the
  // opposite order another triangle would win wherever two hold a sample at the same depth.
  const random = numbers(5);
  const side = 24;
  const points = Array.from({ length: (side + 1) ** 2 }, (_, i) => {
    const [x, y] = [i % (side + 1), Math.floor(i / (side + 1))];
    const inner = (v: number) => (v > 0 && v < side ? 0.4 * (random() - 0.5) : 0);
    return [(x + inner(x)) / side - 0.5, (y + inner(y)) / side - 0.5];
  });
  const triangles: number[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [a, b, c, d] = [0, 1, side + 2, side + 1].map((step) => y * (side + 1) + x + step);
      triangles.push(...(random() < 0.5 ? [a, c, b, a, d, c] : [a, d, b, b, d, c]));
    }
  }
  const mesh = (order: number[]) => ({
    positions: Float32Array.from(order.flatMap((i) => [4 * points[i][0], 4 * points[i][1], 0])),
    normals: Float32Array.from(order.flatMap(() => [0, 0, -1])),
    // Each triangle its own colour.
    colors: Float32Array.from(order.flatMap((_, i) => [(Math.floor(i / 3) + 1) / 4096, 0, 0])),
    indices: Uint32Array.from(order, (_, i) => i),
  });
  const forwards = mesh(triangles);
  const stage = new MeshStage([
    { data: forwards },
    {
      data: {
        ...forwards,
        indices: Uint32Array.from(
          { length: triangles.length },
          (_, i) => triangles.length - 3 - 3 * Math.floor(i / 3) + (i % 3),
        ),
      },
    },
  ]);
  for (const [fx, cx] of [
    [200.37, 150.21],
    [133, 150.5],
    [57.7, 149.999],
  ]) {
    const view = { width: 300, height: 300, fx, fy: fx, cx, cy: cx };
    const [a, b] = [0, 1].map((number) => stage.draw(view, [{ mesh: number, matrix: at(0, 0, 4) }]));
    const [from, to] = [cx - fx / 2, cx + fx / 2];
    for (let y = 0; y < 300; y++) {
      for (let x = 0; x < 300; x++) {
        const within = (v: number) => v + 0.5 > from + 1e-3 && v + 0.5 < to - 1e-3;
        const i = y * 300 + x;
        if (within(x) && within(y)) assert.is(a.ids![i], 1, `hole at ${x}, ${y}`);
        assert.is(a.color![3 * i], b.color![3 * i], `two triangles at ${x}, ${y}`);
      }
    }
  }
});

test('both builds give the same bytes: one and four samples, floats, bytes and grey, clipped, textured, bent, in shadow', () => {
  const pixels = Uint8Array.from({ length: 4 * 64 * 32 }, (_, i) => (i * 37) & 255);
  const texture = { width: 64, height: 32, format: 'rgba8' as const, pixels };
  const textured = { ...floor(-30, 30, -20, 60, [0.6, 0.7, 0.8], 3), texture };
  const uvs = Float32Array.from({ length: 2 * 8 }, (_, i) => (i % 2 ? 3 * (i >> 2) : 5 * ((i >> 1) & 1)));
  const meshes = [
    { data: { ...textured, uvs }, surface: 'ground' as const },
    { data: floor(-0.5, 0.5, 0, 1, [0.9, 0.9, 0.2], 16), surface: 'ground' as const },
    { data: box(1.6, 1.4, 4, [0.8, 0.2, 0.2]) },
    { data: soup(300, 1, 9) },
    { data: { ...quad(3, 3), texture } },
  ];
  const [simd, scalar] = (['simd', 'scalar'] as const).map((build) => new MeshStage(meshes, build));
  const bent = { stretch: [1.5, 1, 40], offset: [-1, 0, -3], curvature: 0.03, curvatureRate: -0.002 };
  const instances = [
    { mesh: 0, matrix: at(0, 1.65, 0) },
    { mesh: 1, matrix: at(0, 1.65, 0), bent },
    { mesh: 2, matrix: [0.8, 0, 0.6, 1.2, 0, 1, 0, 0.95, -0.6, 0, 0.8, 3.1], tint: [0.4, 1.2, 1] },
    { mesh: 3, matrix: at(-1.4, 0.2, 4), tint: [0.7, 0.7, 1] },
    { mesh: 3, matrix: at(0.2, 0.4, 0.5) },
    { mesh: 4, matrix: [0.6, 0, 0.8, 4, 0, 1, 0, -1, -0.8, 0, 0.6, 9] },
  ];
  const base: StagedView = {
    width: 157,
    height: 91,
    fx: 90,
    fy: 91,
    cx: 77.3,
    cy: 30.9,
    light: [-0.48, -0.64, -0.6],
    sun: [0.65, 0.6, 0.55],
    ambient: [0.4, 0.42, 0.45],
    haze: 0.01,
    hazeColor: [0.8, 0.85, 0.9],
    zenith: [0.36, 0.56, 0.86],
    horizon: [0.82, 0.88, 0.94],
    ground: 1.65,
    shadows: true,
    sky: true,
  };
  for (const samples of [1, 4] as const) {
    for (const channels of [1, 3] as const) {
      for (const color of ['f32', 'u8'] as const) {
        const view = { ...base, samples, channels };
        const [a, b] = [simd, scalar].map((stage) => stage.draw(view, instances, { ...ALL_OUTPUTS, color }));
        for (const name of ['color', 'ids', 'classes', 'depth', 'normals'] as const) {
          assert.ok(
            Buffer.compare(bytesOf(a[name]!), bytesOf(b[name]!)) === 0,
            `${name}, ${samples} samples, ${channels}`,
          );
        }
        assert.is(new Set(a.ids!).size, 7);
        assert.ok([...a.depth!].every(Number.isFinite) && [...a.color!].every(Number.isFinite));
      }
    }
  }
});

test('results do not depend on what else is asked for, nor on what scratch held before', () => {
  const stage = new MeshStage([{ data: soup(300, 1, 9) }, { data: floor(-9, 9, 1, 30), surface: 'ground' }]);
  const view: StagedView = { ...SMALL, samples: 4, shadows: true, sun: [1, 1, 1], light: [0, -1, 0], ground: 1 };
  const instances = [
    { mesh: 0, matrix: at(0, 0, 4) },
    { mesh: 1, matrix: at(0, 1, 0) },
  ];
  const all = stage.draw(view, instances);
  for (const name of ['ids', 'classes', 'depth', 'normals'] as const) {
    assert.equal(stage.draw(view, instances, { [name]: true })[name], all[name], name);
  }
  const staged = stage.stage(view, instances, ALL_OUTPUTS);
  new Uint8Array(stage.kernels.memory.buffer, staged.addresses.scratch, staged.scratchBytes).fill(0xff);
  staged.draw();
  assert.equal(staged.results(), all);
  staged.draw();
  assert.equal(staged.results(), all);
});

test('100 objects of 2,000 triangles at 1242 × 375, around and through the camera', () => {
  const stage = new MeshStage([{ data: soup(2000, 0.6, 1) }]);
  const random = numbers(2);
  const instances = Array.from({ length: 100 }, () => ({
    mesh: 0,
    matrix: at(60 * (random() - 0.5), 6 * (random() - 0.5), 80 * random() - 10),
  }));
  const view = { width: 1242, height: 375, fx: 721.5, fy: 721.5, cx: 609.6, cy: 172.9, samples: 4 as const };
  const { ids, depth, color } = stage.draw(view, instances);
  assert.ok(new Set(ids!).size > 30);
  for (const z of depth!) if (z !== 0 && !(z > 0.299 && z < 100)) assert.unreachable(`depth ${z}`);
  assert.ok([...color!].every(Number.isFinite));
});

test('a triangle far flatter than a row is drawn where it is, however high in the memory', () => {
  // Two last places of f32 high around the second sample of row 10, from column 34 to 100: at the third its long edge is at
  // 10 + 48 · 2^18 + 24, just above the 1.5 · 2^23 that columns become integers by.
  const sample = 10.375;
  const place = 2 ** -20;
  const data = {
    positions: Float32Array.of(10, sample - place, 1, 58, sample + place, 1, 100, sample, 1),
    normals: Float32Array.of(0, 0, -1, 0, 0, -1, 0, 0, -1),
    colors: new Float32Array(9).fill(1),
    indices: Uint32Array.of(0, 1, 2),
  };
  const view = { width: 128, height: 32, fx: 1, fy: 1, cx: 0, cy: 0, samples: 4 as const };
  for (const build of ['simd', 'scalar'] as const) {
    const stage = new MeshStage([{ data }], build);
    // Reserved, never touched.
    stage.heap.allocate(2.4e9);
    const { color } = stage.draw(view, [{ mesh: 0 }], { color: 'f32' });
    for (let i = 0; i < 128 * 32; i++) {
      const [x, y] = [i % 128, Math.floor(i / 128)];
      assert.is(color![3 * i], y === 10 && x >= 34 && x < 100 ? 0.25 : 0, `${build}: ${x}, ${y}`);
    }
  }
});

test('a view that has more vertices or triangles than it says is refused', () => {
  const stage = new MeshStage([{ data: soup(9000, 1, 1) }]);
  const staged = stage.stage(SMALL, [{ mesh: 0, matrix: at(0, 0, 5) }], { ids: true });
  const { constants } = stage.kernels;
  const record = new DataView(stage.kernels.memory.buffer, staged.addresses.view);
  record.setUint32(constants.VIEW_TRIANGLES, 0, true);
  assert.throws(() => staged.draw(), new RegExp(`${constants.STATUS_ROOM}`));
  record.setUint32(constants.VIEW_TRIANGLES, 9000, true);
  record.setUint32(constants.VIEW_VERTICES, 8, true);
  assert.throws(() => staged.draw(), new RegExp(`${constants.STATUS_ROOM}`));
});

function bytesOf(values: ArrayBufferView): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}

test.run();
