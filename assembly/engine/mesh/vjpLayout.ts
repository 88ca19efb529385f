/**
 * Records of the 3D vector–Jacobian product, in scratch behind those of the rasteriser, from the start of a call to its end.
 *
 * ## VJP record
 * A *pose* is what one attribute of one node moves, with the attribute at value + δ (high) or value − δ (low).
 * ```
 *   0  u32  call       call record of the scene
 *   4  u32  draw       draw record
 *   8  u32  gradient   dL/dimage, f32 [H, W, C]
 *  12  u32  delta      f32 [A], half-steps; ≤ 0 or NaN: automatic
 *  16  f32  pixelDelta px
 *  20  u32  status     STATUS_OK, or what went wrong
 *  24  u32  reach      reach records [V]
 *  28  u32  linear     f64 [V, 4]: Σ dL/dimage · image by channel, as far as it is light on the node's own mesh with tint 1;
 *                      and 1 where the derivatives that follow from it have been written
 *  32  u32  pixels     pixels that a target has room for
 *  36  u32  spare      triangles of poses that there is room for
 *  40  u32  opened     1: the records of the scene at rest stand in the draw record
 *  44  i32[4] rectangle left, top, right, bottom of the pixels that the poses or their shadows may touch, px
 *  60  u32  restCount  first number of a triangle record behind those of the scene at rest
 *  64  f64[4] sum      Σ dL/dimage · image by channel
 *  96  f64[4] lowSum   likewise of the low pose
 * 416  f64[MESH_ROLE_COUNT, 2] values  value + δ and value − δ of every role
 * 752  u32[MESH_ROLE_COUNT, 3] ranges  first triangle record of the high pose, of the low pose, and behind that
 * 1008 f64[MESH_ROLE_COUNT] sums       Σ dL/dimage · (image at value + δ − image at value − δ)
 * 1176 u32  byNode     1: contractions are added to `linear` of who is seen, not to `sum`
 * 1180 u32  lightFirst first triangle record of the moved meshes at rest with tint 1, 0 when they are not wanted …
 * 1264 u32  lightEnd   … and behind the last
 * 1268 f32  nearest    largest 1/z of a vertex of the poses, 1/m
 * 1184 i32[MOST_LEVELS_OF_GROUND, 4] ground  left, top, right, bottom of where each level of ground is seen behind the poses
 * 1248 i32[4] anyGround  around all of them
 * 1272 u32  shade      u8 [3, MOST_LEVELS_OF_GROUND, shadeStep], bit k: sample k of a pixel of the targets lies in the shadow, on
 *                      that level, of what does not move, of the high and of the low pose
 * 1276 u32  shadeStep  bytes from one level to the next
 * 1280 i32[4] meshes   left, top, right, bottom of the pixels that the meshes of the poses may touch, px; empty: left ≥ right
 * 1296 i32[4] shadows  likewise of their shadows
 * 1312 i32[4] open     where in the targets the poses may be seen: within `meshes`, around what nothing nearer holds
 * 1328 i32[4] dark     where their shadows may be: within `shadows` and `anyGround`
 * 1344 u32  differs    u8 a pixel of a row: not 0 where the shadows of the two poses differ
 * 1356 u32  shaded     likewise: bits of the samples that may lie in shadow on some level
 * 1348 u32  rowMarks   u32 [2, 4] a pixel of a row: marks of the high and the low pose, with their shadows
 * 1352 u32  rowStep    bytes from those of the high pose to those of the low one
 * 1408 fragments
 * 1600 target[3]  targets: what stands behind the poses, the high and the low pose. Their memory is that of VJP_PIXELS
 *                 pixels each, rows below each other at the same places, where the latter two share their depth; they
 *                 are what is open of it. Marks of poses are 0 where what is behind is seen
 * ```
 */
export const VJP_CALL: usize = 0;
export const VJP_DRAW: usize = 4;
export const VJP_GRADIENT: usize = 8;
export const VJP_DELTA: usize = 12;
export const VJP_PIXEL_DELTA: usize = 16;
export const VJP_STATUS: usize = 20;
export const VJP_REACH: usize = 24;
export const VJP_LINEAR: usize = 28;
export const VJP_PIXELS: usize = 32;
export const VJP_SPARE: usize = 36;
export const VJP_OPENED: usize = 40;
export const VJP_RECTANGLE: usize = 44;
export const VJP_REST_COUNT: usize = 60;
export const VJP_SUM: usize = 64;
export const VJP_LOW_SUM: usize = 96;
export const VJP_VALUES: usize = 416;
export const VJP_RANGES: usize = 752;
export const VJP_SUMS: usize = 1008;
export const VJP_BY_NODE: usize = 1176;
export const VJP_LIGHT_FIRST: usize = 1180;
export const VJP_GROUND: usize = 1184;
export const VJP_ANY_GROUND: usize = 1248;
export const VJP_LIGHT_END: usize = 1264;
export const VJP_NEAREST: usize = 1268;
export const VJP_SHADE: usize = 1272;
export const VJP_SHADE_STEP: usize = 1276;
export const SHADE_STILL: usize = 0;
export const SHADE_HIGH: usize = 1;
export const SHADE_LOW: usize = 2;
export const VJP_MESHES: usize = 1280;
export const VJP_SHADOWS: usize = 1296;
export const VJP_OPEN: usize = 1312;
export const VJP_DARK: usize = 1328;
export const VJP_DIFFERS: usize = 1344;
export const VJP_ROW_MARKS: usize = 1348;
export const VJP_ROW_STEP: usize = 1352;
export const VJP_SHADED: usize = 1356;
export const VJP_FRAGMENTS: usize = 1408;
/** Targets are less than 128 bytes. */
export const VJP_BEHIND: usize = 1600;
export const VJP_HIGH: usize = 1728;
export const VJP_LOW: usize = 1856;
export const VJP_BYTES: usize = 1984;

/**
 * ## Fragments: what waits to be shaded by fours (vjpFragments.ts)
 * ```
 *   0  u32[4]  mark
 *  16  u32[4]  triangle  addresses of their records
 *  32  f32[4]  x         columns and rows of their pixels
 *  48  f32[4]  y
 *  64  f32[4]  ox        where they are shaded, from the pixels' centres
 *  80  f32[4]  oy
 *  96  f32[4]  weight    shares of their pixels, of the low pose negative
 * 112  u32[4]  gradient  addresses of dL/dimage of their pixels
 * 128  u32     count     how many there are: 0–3
 * 144  f64[4]  sums      of what has been shaded, a lane each
 * 176  f32[4]  color     of one
 * ```
 */
export const FRAGMENT_MARK: usize = 0;
export const FRAGMENT_TRIANGLE: usize = 16;
export const FRAGMENT_X: usize = 32;
export const FRAGMENT_Y: usize = 48;
export const FRAGMENT_OX: usize = 64;
export const FRAGMENT_OY: usize = 80;
export const FRAGMENT_WEIGHT: usize = 96;
export const FRAGMENT_GRADIENT: usize = 112;
export const FRAGMENT_COUNT: usize = 128;
export const FRAGMENT_SUMS: usize = 144;
export const FRAGMENT_COLOR: usize = 176;

/**
 * ## Reach record: one a node, which pixels its mesh and its shadow may touch in the scene at rest
 * Half-open rectangles within the canvas; empty where left ≥ right.
 * ```
 *  0  i32[4]  left, top, right, bottom of the mesh
 * 16  i32[4]  likewise of its shadow, on all levels of ground together
 * 32  u32     REACH_NONE, REACH_GROUND or REACH_SOLID
 * 36  f32     largest 1/z of the mesh's box, 1/m
 * ```
 */
export const REACH_MESH: usize = 0;
export const REACH_SHADOW: usize = 16;
export const REACH_KIND: usize = 32;
export const REACH_NEAREST: usize = 36;
export const REACH_BYTES: usize = 48;

export const REACH_NONE: u32 = 0;
export const REACH_GROUND: u32 = 1;
export const REACH_SOLID: u32 = 2;
