/**
 * Every record that crosses the border between TypeScript and the sprite kernels, or that kernels keep in scratch
 * memory. TypeScript reads the exported constants from the module's exports and repeats no number.
 *
 * ## Asset record: one a sprite, in the asset table
 * Written by the host when it loads its assets, read by renderScene and perturbationVjp, lives as long as the store.
 * ```
 *  0  u32  texels    address of the top left border texel, 16-byte aligned
 *  4  u32  width     stored texels a row without the border; 0: an empty sprite, never drawn
 *  8  u32  height    stored rows without the border
 * 12  u32  stride    bytes from one stored row to the next, border included
 * 16  u8   format    FORMAT_INK8 or FORMAT_RGBA32F
 * 17  u8   edge      EDGE_FADE or EDGE_EXTEND
 * 18  u8   flags     FLAG_OPAQUE | FLAG_SOLID
 * 19  u8   zero
 * 20  f32  centreX   the sprite's centre in texels from the left edge of the stored content. A fading sprite is
 * 24  f32  centreY   stored without its empty margin, so this is not always half of the width
 * 28  u32  zero
 * ```
 * Texels carry a border of TEXEL_BORDER texels on all sides: transparent for EDGE_FADE, copies of the edge texels for
 * EDGE_EXTEND. INK8 is one byte a texel, colour and alpha alike (255 is 1); RGBA32F is four premultiplied floats.
 */
export const ASSET_TEXELS: usize = 0;
export const ASSET_WIDTH: usize = 4;
export const ASSET_HEIGHT: usize = 8;
export const ASSET_STRIDE: usize = 12;
export const ASSET_FORMAT: usize = 16;
export const ASSET_EDGE: usize = 17;
export const ASSET_FLAGS: usize = 18;
export const ASSET_CENTRE_X: usize = 20;
export const ASSET_CENTRE_Y: usize = 24;
export const ASSET_BYTES: usize = 32;

export const FORMAT_INK8: u32 = 0;
export const FORMAT_RGBA32F: u32 = 1;
export const EDGE_FADE: u32 = 0;
export const EDGE_EXTEND: u32 = 1;
/** Every texel has alpha 1. */
export const FLAG_OPAQUE: u32 = 1;
/** All texels are the same. */
export const FLAG_SOLID: u32 = 2;
/** Texels around the content; two, so that a bilinear tap may leave the content by one and rounding by another. */
export const TEXEL_BORDER: u32 = 2;
/** Largest width or height of a sprite: f32 texture coordinates stay exact to a 1/1000 texel. */
export const MAX_SPRITE_SIDE: u32 = 8192;

/** Values of renderScene's `colorFormat`. */
export const COLOR_NONE: u32 = 0;
/** f32 [H, W, C], not clamped. */
export const COLOR_F32: u32 = 1;
/** u8 [H, W, C], clamped to [0, 1], times 255, rounded half up. */
export const COLOR_U8: u32 = 2;

/** Results of renderScene and perturbationVjp. */
export const STATUS_OK: u32 = 0;
/** The batch is not two-dimensional. */
export const STATUS_DIMENSION: u32 = 1;
/** The scene index is not below the number of scenes. */
export const STATUS_INDEX: u32 = 2;

/**
 * ## Node record: one a node, in scratch, from the start of a call to its end
 * The node's frame in canvas coordinates, and where and how its sprite is drawn. u and v are texel coordinates:
 * u = uOrigin + uX·x + uY·y for a canvas point (x, y).
 * ```
 *   0  f64  frameX     origin of the node's frame on the canvas, px
 *   8  f64  frameY
 *  16  f64  axisX      its x axis: scale · (cos, sin), px per unit
 *  24  f64  axisY
 *  32  f64  uOrigin    texels
 *  40  f64  uX         texels per px
 *  48  f64  uY
 *  56  f64  vOrigin
 *  64  f64  vX
 *  72  f64  vY
 *  80  f64  uReach     how far beyond the content the sprite still paints, texels: 1/2 when it fades, half a pixel
 *  88  f64  vReach     when it extends
 *  96  f32  red        factors on the sampled texel: colour, brightness and opacity (and 1/255 for INK8)
 * 100  f32  green
 * 104  f32  blue
 * 108  f32  alpha      opacity (and 1/255 for INK8)
 * 112  i32  left       pixels that the sprite may touch: left ≤ x < right, top ≤ y < bottom, not yet clipped
 * 116  i32  top
 * 120  i32  right
 * 124  i32  bottom
 * 128  u32  asset      address of the asset record, 0 when the node has no sprite
 * 132  u32  placed     1 when the sprite has a place on the plane: finite, and not shrunk to nothing
 * 136  u32  class      class index
 * 140  i32  parent     node index, −1 for a root
 * 144  i32  movers     sprites in the node's subtree (perturbationVjp only)
 * 148  i32  first      first of them (perturbationVjp only)
 * 152  i32  last       last node of the subtree (perturbationVjp only)
 * 156  u32  moves      in a record of `moved`: 1 when the node belongs to the perturbed subtree
 * 160  f64  uEnter     x at which pixel row 0 enters the painted range of u; −1e18 when u is the same all along a row
 * 168  f64  uLeave     x at which it leaves it; 1e18 likewise
 * 176  f64  uSlope     what every row adds to both
 * 184  f64  vEnter     likewise for v
 * 192  f64  vLeave
 * 200  f64  vSlope
 * 208  f64  uInset     px from entering to full coverage (EDGE_EXTEND)
 * 216  f64  vInset
 * ```
 */
export const NODE_FRAME_X: usize = 0;
export const NODE_FRAME_Y: usize = 8;
export const NODE_AXIS_X: usize = 16;
export const NODE_AXIS_Y: usize = 24;
export const NODE_U_ORIGIN: usize = 32;
export const NODE_U_X: usize = 40;
export const NODE_U_Y: usize = 48;
export const NODE_V_ORIGIN: usize = 56;
export const NODE_V_X: usize = 64;
export const NODE_V_Y: usize = 72;
export const NODE_U_REACH: usize = 80;
export const NODE_V_REACH: usize = 88;
export const NODE_RED: usize = 96;
export const NODE_GREEN: usize = 100;
export const NODE_BLUE: usize = 104;
export const NODE_ALPHA: usize = 108;
export const NODE_LEFT: usize = 112;
export const NODE_TOP: usize = 116;
export const NODE_RIGHT: usize = 120;
export const NODE_BOTTOM: usize = 124;
export const NODE_ASSET: usize = 128;
export const NODE_PLACED: usize = 132;
export const NODE_CLASS: usize = 136;
export const NODE_PARENT: usize = 140;
export const NODE_MOVERS: usize = 144;
export const NODE_FIRST: usize = 148;
export const NODE_LAST: usize = 152;
export const NODE_MOVES: usize = 156;
export const NODE_U_ENTER: usize = 160;
export const NODE_U_LEAVE: usize = 168;
export const NODE_U_SLOPE: usize = 176;
export const NODE_V_ENTER: usize = 184;
export const NODE_V_LEAVE: usize = 192;
export const NODE_V_SLOPE: usize = 200;
export const NODE_U_INSET: usize = 208;
export const NODE_V_INSET: usize = 216;
export const NODE_BYTES: usize = 224;

/**
 * ## Call record: the arguments of one call, at the start of its scratch memory
 * ```
 *   0  u32  attributes  address of f32 [V, A] in the batch
 *   4  u32  columns     A
 *   8  u32  nodeCount   V
 *  12  u32  width       canvas, px
 *  16  u32  height
 *  20  u32  channels    1 or 3
 *  24  u32  nodes       node records [V]
 *  28  u32  moved       node records [V], those of the perturbed subtree in use
 *  32  u32  row         one row of samples: f32 a pixel for INK8, f32×4 for RGBA32F
 *  36  u32  canvas      the image so far, f32 a pixel when grey, f32×4 when RGB
 *  40  u32  field       reverse compositing field, f32×4 a pixel (field.ts); or a second canvas (recomposite.ts)
 *  44  u32  weights     f32 a pixel: the field with colour and opacity of an INK8 sprite multiplied in
 *  48  u32  transmit    f32 a pixel: what the sprites above let through
 *  52  i32  left        rectangle that is being painted, and the origin of `canvas`
 *  56  i32  top
 *  60  i32  right
 *  64  i32  bottom
 *  68  u32  pitch       pixels from one row of `canvas` to the next: a multiple of 4, more than right − left + 4
 *  72  i32[16] column   attribute column of each AttributeRole, −1 when there is none
 * 136  span             see below
 * 176  u32  poses       node records [2 · ROLE_COUNT]: a sprite at value + δ and value − δ of every role
 * 180  u32  veiled      1 when sprites stand before the one that is perturbed: `transmit` holds
 * 192  f64[4] sum       contraction by lane: channels, or pixels modulo 4 with `weights`
 * 224  f64[2 · ROLE_COUNT] values  value + δ and value − δ of every role
 * 480  constants       vectors that inner loops hold in registers: V8 builds literal ones anew in every iteration
 * ```
 * A span is one row of one sprite: the pixels x of [start, end), sampled at s = s0 + (x − anchor)·sX, stored-texel
 * coordinates that count from the centre of the top left border texel.
 * ```
 * 136  i32  start
 * 140  i32  end
 * 144  i32  innerStart  pixels with full coverage (EDGE_EXTEND)
 * 148  i32  innerEnd
 * 152  f32  s0
 * 156  f32  t0
 * 160  f32  sX
 * 164  f32  tX
 * 168  i32  offset      start − anchor
 * ```
 */
export const CALL_ATTRIBUTES: usize = 0;
export const CALL_COLUMNS: usize = 4;
export const CALL_NODE_COUNT: usize = 8;
export const CALL_WIDTH: usize = 12;
export const CALL_HEIGHT: usize = 16;
export const CALL_CHANNELS: usize = 20;
export const CALL_NODES: usize = 24;
export const CALL_MOVED: usize = 28;
export const CALL_ROW: usize = 32;
export const CALL_CANVAS: usize = 36;
export const CALL_FIELD: usize = 40;
export const CALL_WEIGHTS: usize = 44;
export const CALL_TRANSMIT: usize = 48;
export const CALL_LEFT: usize = 52;
export const CALL_TOP: usize = 56;
export const CALL_RIGHT: usize = 60;
export const CALL_BOTTOM: usize = 64;
export const CALL_PITCH: usize = 68;
export const CALL_COLUMN: usize = 72;
export const SPAN_START: usize = 136;
export const SPAN_END: usize = 140;
export const SPAN_INNER_START: usize = 144;
export const SPAN_INNER_END: usize = 148;
export const SPAN_S0: usize = 152;
export const SPAN_T0: usize = 156;
export const SPAN_S_X: usize = 160;
export const SPAN_T_X: usize = 164;
export const SPAN_OFFSET: usize = 168;
export const CALL_POSES: usize = 176;
export const CALL_VEILED: usize = 180;
export const CALL_SUM: usize = 192;
export const CALL_VALUES: usize = 224;
/** i32 0, 1, 2, 3. */
export const CALL_LANES: usize = 480;
/** f32 2^23 − ½ four times, and so on. */
export const CALL_FLOOR: usize = 496;
export const CALL_TWO_23: usize = 512;
export const CALL_ONE: usize = 528;
export const CALL_255: usize = 544;
export const CALL_HALF: usize = 560;
export const CALL_BYTES: usize = 576;

/**
 * ## Coverage record: one a node, result of renderScene
 * What the node's sprite would cover alone on a canvas without bounds: pixels whose alpha × opacity is at least ½, as in
 * the instance buffer. All zeros but for the quad where there are none; all zeros for a node without a sprite, or whose
 * sprite has no place on the plane. Written by the kernel, read by the host, lives as long as the scene's labels.
 * ```
 *  0  f64  centreX  middle of the content's quad (the sprite without its empty margin) on the canvas, px
 *  8  f64  centreY
 * 16  f64  width    its sides, px
 * 24  f64  height
 * 32  f64  pixels   pixels in all, an integer like all that follow
 * 40  f64  inside   those on the canvas
 * 48  f64  left     left ≤ x < right, top ≤ y < bottom: the tight box of all of them
 * 56  f64  top
 * 64  f64  right
 * 72  f64  bottom
 * ```
 * A sprite whose rectangle has more pixels than 16 canvases, and more than 2^20, is cut before it is counted: to the
 * canvas and 4 canvas sizes on every side; if that is still more, to half as many, and so on. An opaque sprite that
 * extends to its edges is cut only when it has more than a 64th of so many rows.
 */
export const COVERAGE_CENTRE_X: usize = 0;
export const COVERAGE_CENTRE_Y: usize = 8;
export const COVERAGE_WIDTH: usize = 16;
export const COVERAGE_HEIGHT: usize = 24;
export const COVERAGE_PIXELS: usize = 32;
export const COVERAGE_INSIDE: usize = 40;
export const COVERAGE_LEFT: usize = 48;
export const COVERAGE_TOP: usize = 56;
export const COVERAGE_RIGHT: usize = 64;
export const COVERAGE_BOTTOM: usize = 72;
export const COVERAGE_BYTES: usize = 80;

/**
 * ## Region record: one a node, result of findRegions
 * Where the node is seen: its pixels in the instance buffer. All zeros where there are none. Written by the kernel, read by
 * the host, lives as long as the scene's labels.
 * ```
 *  0  f64  pixels  number of them, an integer like all that follow
 *  8  f64  left    left ≤ x < right, top ≤ y < bottom: their tight box
 * 16  f64  top
 * 24  f64  right
 * 32  f64  bottom
 * 40  f64  sumX    sums of their columns and rows
 * 48  f64  sumY
 * ```
 */
export const REGION_PIXELS: usize = 0;
export const REGION_LEFT: usize = 8;
export const REGION_TOP: usize = 16;
export const REGION_RIGHT: usize = 24;
export const REGION_BOTTOM: usize = 32;
export const REGION_SUM_X: usize = 40;
export const REGION_SUM_Y: usize = 48;
export const REGION_BYTES: usize = 56;

/** AttributeRole of schemas/sceneGraph.fbs; TypeScript has the generated enumeration. */
export const ROLE_X: i32 = 1;
export const ROLE_Y: i32 = 2;
export const ROLE_ROTATION: i32 = 4;
export const ROLE_SCALE: i32 = 7;
export const ROLE_SCALE_X: i32 = 8;
export const ROLE_SCALE_Y: i32 = 9;
export const ROLE_BRIGHTNESS: i32 = 11;
export const ROLE_OPACITY: i32 = 12;
export const ROLE_RED: i32 = 13;
export const ROLE_GREEN: i32 = 14;
export const ROLE_BLUE: i32 = 15;
export const ROLE_COUNT: i32 = 16;
/** Of 3D scenes only; those above ROLE_COUNT have no column in the call record of sprites. */
export const ROLE_Z: i32 = 3;
export const ROLE_PITCH: i32 = 5;
export const ROLE_ROLL: i32 = 6;
export const ROLE_SCALE_Z: i32 = 10;
export const ROLE_FIELD_OF_VIEW: i32 = 16;
export const ROLE_CURVATURE: i32 = 17;
export const ROLE_CURVATURE_RATE: i32 = 18;
export const ROLE_AMBIENT: i32 = 19;
export const ROLE_HAZE: i32 = 20;
/** All roles, those of 3D scenes included. */
export const MESH_ROLE_COUNT: i32 = 21;

/** NodeKind of schemas/sceneGraph.fbs. */
export const KIND_OBJECT: u32 = 0;
export const KIND_CAMERA: u32 = 1;
export const KIND_LIGHT: u32 = 2;
export const KIND_CURVE: u32 = 3;
export const KIND_STRIP: u32 = 4;
