/**
 * Records of the mesh kernels: what scenes of dimension 3 are drawn from. TypeScript reads the exported constants from
 * the module's exports and repeats no number.
 *
 * ## Frames
 * x right, y down, z forward everywhere, metres; heading turns about y (positive to the right), pitch about x (positive
 * nose up), roll about z (positive right side down): R = Ry(heading)·Rx(pitch)·Rz(roll). The world's ground is y = 0.
 * An asset record (layout.ts) with ASSET_FORMAT = FORMAT_MESH holds in ASSET_TEXELS the address of a mesh record.
 */
export const FORMAT_MESH: u32 = 2;

/**
 * ## View record: what is drawn, from where, in which light, and where the results go
 * Directions and colours are in the camera's frame. Written by openMeshScene or by the host, read by drawMeshes.
 * ```
 *   0  i32     width       px
 *   4  i32     height
 *   8  f32     fx          px
 *  12  f32     fy
 *  16  f32     cx          px; pixel (i, j) is centred at (i + ½, j + ½)
 *  20  f32     cy
 *  24  f32     near        m
 *  28  f32     far         m; ≤ 0: no far plane
 *  32  f32[3]  light       unit vector towards the sun, camera frame
 *  44  f32[3]  sun         light of the sun on a surface that faces it, by channel
 *  56  f32[3]  ambient     light of the sky, by channel
 *  68  f32     haze        1/m: a surface at distance z keeps exp(−haze · z) of its colour; 0: clear
 *  72  f32[3]  hazeColor
 *  84  f32[3]  zenith      sky straight up
 *  96  f32[3]  horizon     sky at the horizon and below
 * 108  f32[3]  up          unit vector upwards (against the world's y), camera frame
 * 120  f32     ground      height of the camera above the ground plane, m (for shadows)
 * 124  u32     samples     1 or 4 a pixel
 * 128  u32     flags       VIEW_SHADOWS | VIEW_SKY (without it the background is `horizon`)
 * 132  u32     instances   address of instance records
 * 136  u32     count
 * 140  u32     channels    1 or 3; grey is 0.299 R + 0.587 G + 0.114 B
 * 144  u32     colorFormat COLOR_NONE, COLOR_F32 or COLOR_U8 of layout.ts
 * 148  u32     color       [H, W, C], 0 to skip, as all that follow
 * 152  u32     ids         u16 [H, W] INSTANCE_ID of what is seen, 0: sky
 * 156  u32     classes     u8 [H, W] INSTANCE_CLASS likewise
 * 160  u32     depth       f32 [H, W] z in the camera's frame, m; 0: sky
 * 164  u32     normals     f32 [H, W, 3] unit vectors in the camera's frame; 0: sky
 * 168  f32     shadow      share of the sun's light that a shadow takes away, 0–1
 * 172  u32     vertices    what scratch has room for, as meshScratchBytes was told: vertices of the largest mesh …
 * 176  u32     triangles   … and triangles of all instances together
 * ```
 * The sky at the elevation e above the horizon is horizon + (zenith − horizon)·t·(2 − t) with t = max(0, sin e).
 * shade = ambient + sun · max(0, n · light); colour = texture · vertex colour · tint · shade, then haze. With 4 samples a
 * pixel's colour is their mean; its label is what holds most of them, the nearest of those that hold equally many; its
 * depth is the harmonic mean of that instance's samples. Samples of one triangle within a pixel are shaded once, at their
 * mean position: for what varies linearly that is the mean of their colours.
 */
export const VIEW_WIDTH: usize = 0;
export const VIEW_HEIGHT: usize = 4;
export const VIEW_FX: usize = 8;
export const VIEW_FY: usize = 12;
export const VIEW_CX: usize = 16;
export const VIEW_CY: usize = 20;
export const VIEW_NEAR: usize = 24;
export const VIEW_FAR: usize = 28;
export const VIEW_LIGHT: usize = 32;
export const VIEW_SUN: usize = 44;
export const VIEW_AMBIENT: usize = 56;
export const VIEW_HAZE: usize = 68;
export const VIEW_HAZE_COLOR: usize = 72;
export const VIEW_ZENITH: usize = 84;
export const VIEW_HORIZON: usize = 96;
export const VIEW_UP: usize = 108;
export const VIEW_GROUND: usize = 120;
export const VIEW_SAMPLES: usize = 124;
export const VIEW_FLAGS: usize = 128;
export const VIEW_INSTANCES: usize = 132;
export const VIEW_COUNT: usize = 136;
export const VIEW_CHANNELS: usize = 140;
export const VIEW_COLOR_FORMAT: usize = 144;
export const VIEW_COLOR: usize = 148;
export const VIEW_IDS: usize = 152;
export const VIEW_CLASSES: usize = 156;
export const VIEW_DEPTH: usize = 160;
export const VIEW_NORMALS: usize = 164;
export const VIEW_SHADOW: usize = 168;
export const VIEW_VERTICES: usize = 172;
export const VIEW_TRIANGLES: usize = 176;
export const VIEW_BYTES: usize = 192;

export const VIEW_SHADOWS: u32 = 1;
export const VIEW_SKY: u32 = 2;

/**
 * ## Instance record: one a node
 * ```
 *   0  u32      mesh     address of a mesh record, 0: nothing is drawn
 *   4  u16      id       node + 1
 *   6  u8       class    class + 1
 *   7  u8       flags    INSTANCE_BENT
 *   8  f32[12]  matrix   3 × 4 row-major: mesh → camera. Bent: curve frame → camera
 *  56  f32[3]   tint     factors on the colour (brightness · red, green, blue)
 *  68  f32[3]   stretch  bent: factors on x, y, z of the mesh …
 *  80  f32[3]   offset   … and what is added: the result is (across, down, along) in the curve's coordinates
 *  92  f32      curvature      bent: 1/m at distance 0
 *  96  f32      curvatureRate  bent: 1/m²
 * ```
 * At distance s a curve's direction is θ(s) = curvature·s + curvatureRate·s²/2, its point
 * p(s) = ∫₀ˢ (sin θ, cos θ) in (x, z); (across d, down h, along s) stands at (pₓ + d·cos θ, h, p_z − d·sin θ).
 */
export const INSTANCE_MESH: usize = 0;
export const INSTANCE_ID: usize = 4;
export const INSTANCE_CLASS: usize = 6;
export const INSTANCE_FLAGS: usize = 7;
export const INSTANCE_MATRIX: usize = 8;
export const INSTANCE_TINT: usize = 56;
export const INSTANCE_STRETCH: usize = 68;
export const INSTANCE_OFFSET: usize = 80;
export const INSTANCE_CURVATURE: usize = 92;
export const INSTANCE_CURVATURE_RATE: usize = 96;
export const INSTANCE_BYTES: usize = 112;

export const INSTANCE_BENT: u32 = 1;

/**
 * ## Output record: what renderMeshScene is to draw, and where to
 * Written by the host. An address of 0 leaves a result out.
 * ```
 *  0  u32  samples      1 or 4 a pixel
 *  4  u32  colorFormat  COLOR_NONE, COLOR_F32 or COLOR_U8
 *  8  u32  color        [H, W, C]
 * 12  u32  ids          u16 [H, W]
 * 16  u32  classes      u8 [H, W]
 * 20  u32  depth        f32 [H, W]
 * 24  u32  normals      f32 [H, W, 3]
 * 28  u32  coverage     coverage records [V] (layout.ts)
 * 32  u32  room         how many times the scene's triangles scratch has room for, ≥ 1
 * ```
 */
export const OUTPUT_SAMPLES: usize = 0;
export const OUTPUT_COLOR_FORMAT: usize = 4;
export const OUTPUT_COLOR: usize = 8;
export const OUTPUT_IDS: usize = 12;
export const OUTPUT_CLASSES: usize = 16;
export const OUTPUT_DEPTH: usize = 20;
export const OUTPUT_NORMALS: usize = 24;
export const OUTPUT_COVERAGE: usize = 28;
export const OUTPUT_ROOM: usize = 32;
export const OUTPUT_BYTES: usize = 36;

/**
 * ## Frame record: one a node, where it stands in the world
 * In scratch, from the start of a call to its end.
 * ```
 *   0  f64[9]  rotation   row-major, node → world, without scale
 *  72  f64     scale      its own and all inherited ones
 *  80  f64[3]  origin     m
 * 104  f64[3]  offset     curve and strip: what is added to the x, y, z of children, the strips on the way; else unused
 * 128  f64     curvature      curve: 1/m at distance 0
 * 136  f64     curvatureRate  curve: 1/m²
 * 144  u32     curve      address of the frame record of the curve that children stand along (a curve's is its own), else 0
 * 148  u32     kind       KIND_OBJECT …
 * 152  i32     parent     node index, −1 for a root
 * 156  i32     last       last node of the subtree
 * 160  u32     mesh       address of a mesh record, 0 when the node has none
 * 164  u32     class      class index
 * 168  u32     moves      in a record of `moved`: 1 when the node's instance is another than in `frames`
 * ```
 */
export const FRAME_ROTATION: usize = 0;
export const FRAME_SCALE: usize = 72;
export const FRAME_ORIGIN: usize = 80;
export const FRAME_OFFSET: usize = 104;
export const FRAME_CURVATURE: usize = 128;
export const FRAME_CURVATURE_RATE: usize = 136;
export const FRAME_CURVE: usize = 144;
export const FRAME_KIND: usize = 148;
export const FRAME_PARENT: usize = 152;
export const FRAME_LAST: usize = 156;
export const FRAME_MESH: usize = 160;
export const FRAME_CLASS: usize = 164;
export const FRAME_MOVES: usize = 168;
export const FRAME_BYTES: usize = 176;

/**
 * ## Call record of 3D scenes, at the start of their scratch memory
 * The first 24 bytes are those of the sprites' call record (layout.ts): attributes, columns, node count, canvas, channels.
 * ```
 *  24  u32  frames          frame records [V]
 *  28  u32  moved           frame records [V], those marked by `moves` in use
 *  32  u32  instances       instance records [V]
 *  36  u32  movedInstances  instance records [V], likewise; all of them after MOVED_ALL
 *  40  u32  view            view record of the scene
 *  44  u32  movedView       after MOVED_ALL: view record with the perturbed camera or light, of `movedInstances`
 *  48  u32  raster          scratch of drawMeshes
 *  52  i32  cameraNode      −1 where `camera` holds
 *  56  i32  lightNode       −1 where the default light holds
 *  60  i32  movedFirst      the marked nodes are among movedFirst … movedLast
 *  64  i32  movedLast
 *  68  i32  changedNode     the node that is perturbed, −1 for none
 *  72  i32[21] column       attribute column of each AttributeRole, −1 when there is none
 * 156  i32  changedRole     its role …
 * 160  f64  changedValue    … and the value it has instead of the batch's
 * 168  u32  camera          address of the scene's Camera struct in the batch
 * 176  f64[12] toCamera       3 × 4 row-major, world → camera
 * 272  f64[12] movedToCamera  likewise of movedView
 * 368  f64[4]  point        curvePoint's result: x, z, and sine and cosine of the direction
 * 400  f64[9]  turn         a rotation on its way
 * 472  u32  samples         1 or 4
 * 476  u32  vertices        of the largest mesh …
 * 480  u32  triangles       … and of all meshes together, for the views
 * ```
 */
export const MESH_CALL_FRAMES: usize = 24;
export const MESH_CALL_MOVED: usize = 28;
export const MESH_CALL_INSTANCES: usize = 32;
export const MESH_CALL_MOVED_INSTANCES: usize = 36;
export const MESH_CALL_VIEW: usize = 40;
export const MESH_CALL_MOVED_VIEW: usize = 44;
export const MESH_CALL_RASTER: usize = 48;
export const MESH_CALL_CAMERA_NODE: usize = 52;
export const MESH_CALL_LIGHT_NODE: usize = 56;
export const MESH_CALL_MOVED_FIRST: usize = 60;
export const MESH_CALL_MOVED_LAST: usize = 64;
export const MESH_CALL_CHANGED_NODE: usize = 68;
export const MESH_CALL_COLUMN: usize = 72;
export const MESH_CALL_CHANGED_ROLE: usize = 156;
export const MESH_CALL_CHANGED_VALUE: usize = 160;
export const MESH_CALL_CAMERA: usize = 168;
export const MESH_CALL_TO_CAMERA: usize = 176;
export const MESH_CALL_MOVED_TO_CAMERA: usize = 272;
export const MESH_CALL_POINT: usize = 368;
export const MESH_CALL_TURN: usize = 400;
export const MESH_CALL_SAMPLES: usize = 472;
export const MESH_CALL_VERTICES: usize = 476;
export const MESH_CALL_TRIANGLES: usize = 480;
export const MESH_CALL_BYTES: usize = 512;

/** Results of placeMeshSubtree: nothing that is drawn changes; the instances of marked nodes; camera or light, so all. */
export const MOVED_NOTHING: u32 = 0;
export const MOVED_NODES: u32 = 1;
export const MOVED_ALL: u32 = 2;

/**
 * ## Mesh record: one a mesh asset, its arrays behind it
 * Written by the host (src/render/meshMemory.ts), read only afterwards. Arrays of vertices are padded with copies of the
 * last vertex to a multiple of four.
 * ```
 *   0  u32      positions  f32 x[NV'], y[NV'], z[NV'], m; 16-byte aligned, as all arrays are
 *   4  u32      normals    f32 x[NV'], y[NV'], z[NV']
 *   8  u32      colors     f32 red[NV'], green[NV'], blue[NV']
 *  12  u32      uvs        f32 u[NV'], v[NV']; 0 without a texture
 *  16  u32      indices    u32 [NT, 3]: byte offsets of vertex records, vertex · VERTEX_BYTES
 *  20  u32      vertices   NV
 *  24  u32      triangles  NT
 *  28  u32      flags      MESH_GROUND | MESH_CLOSED
 *  32  f32[3]   centre     middle of its box …
 *  44  f32      radius     … and the largest distance of a vertex from it
 *  48  f32[3]   minimum    corners of its box
 *  60  f32[3]   maximum
 *  72  u32      levels     mip levels of the texture, 0 without one
 *  80  level[12]           mip levels, each half as wide and high as the one before
 * ```
 * A level of a texture repeats. A texel is 8 bytes, its own and those of its right neighbour, channel by channel (red, red,
 * green, green, …): what a bilinear tap takes of a row, in the order in which it is weighed. A copy of the first row stands
 * behind the last.
 * ```
 *   0  u32  texels  address, a multiple of 8
 *   4  i32  shift   log2 of the bytes of a row
 *   8  i32  width   texels, a power of two
 *  12  i32  height
 * ```
 */
export const MESH_POSITIONS: usize = 0;
export const MESH_NORMALS: usize = 4;
export const MESH_COLORS: usize = 8;
export const MESH_UVS: usize = 12;
export const MESH_INDICES: usize = 16;
export const MESH_VERTICES: usize = 20;
export const MESH_TRIANGLES: usize = 24;
export const MESH_FLAGS: usize = 28;
export const MESH_CENTRE: usize = 32;
export const MESH_RADIUS: usize = 44;
export const MESH_MINIMUM: usize = 48;
export const MESH_MAXIMUM: usize = 60;
export const MESH_LEVELS: usize = 72;
export const MESH_LEVEL: usize = 80;
export const LEVEL_TEXELS: usize = 0;
export const LEVEL_SHIFT: usize = 4;
export const LEVEL_WIDTH: usize = 8;
export const LEVEL_HEIGHT: usize = 12;
export const LEVEL_BYTES: usize = 16;
/** 2048 × 2048 texels have 12 levels. */
export const MOST_LEVELS: u32 = 12;
export const MESH_BYTES: usize = 272;

/** Lies on the ground: receives shadows, casts none, drawn in the order of nodes over other ground at the same height. */
export const MESH_GROUND: u32 = 1;
/**
 * Its surface has no border: every edge is run through as often one way as the other. Looked at from anywhere, its triangles
 * that face one way cover what those that face the other way do.
 */
export const MESH_CLOSED: u32 = 2;

/**
 * ## Vertex record: a transformed, lit vertex of the instance that is being set up
 * In scratch, written by transformVertices (vertices.ts) and by clipping, read by set-up (triangles.ts).
 * ```
 *   0  f32[4]  red, green, blue: vertex colour · tint · shade; and 1
 *  16  f32     x        px; nonsense when OUT_NEAR
 *  20  f32     y
 *  24  f32     inverse  1/z, 1/m
 *  28  u32     code     OUT_ bits: how it lies outside of the rectangle that is drawn
 *  32  f32     u        with a texture
 *  36  f32     v
 *  48  f32[3]  normal   unit vector in the camera's frame, where normals are wanted
 * ```
 */
export const VERTEX_COLOR: usize = 0;
export const VERTEX_X: usize = 16;
export const VERTEX_Y: usize = 20;
export const VERTEX_INVERSE: usize = 24;
export const VERTEX_CODE: usize = 28;
export const VERTEX_U: usize = 32;
export const VERTEX_V: usize = 36;
export const VERTEX_NORMAL: usize = 48;
export const VERTEX_BYTES: usize = 64;

export const OUT_LEFT: u32 = 1;
export const OUT_RIGHT: u32 = 2;
export const OUT_TOP: u32 = 4;
export const OUT_BOTTOM: u32 = 8;
/** So far outside that f32 coordinates get coarse: triangles are cut at GUARD. */
export const OUT_GUARD: u32 = 16;
/** Nearer than the near plane, or behind the camera. */
export const OUT_NEAR: u32 = 32;
/** px from the pixel (0, 0): twice the largest image. */
export const GUARD: f32 = 16384;

/**
 * ## Triangle record: a set-up triangle that faces the camera and holds at least one place where a sample may be
 * In scratch, appended by setUpInstance (triangles.ts) in the order of the mesh, read by rasterising and shading. Record 0
 * is none: the sky. A pixel's *mark* (u32, what rasterising writes) is the number of its record; SHADOWED is added where
 * ground lies in shadow.
 *
 * Attributes are planes over the pixel grid: at the point (x, y) px, red/z is value + dx·(x − ½ − anchorX) +
 * dy·(y − ½ − anchorY); the anchor is a pixel at the first vertex, so differences at pixel centres are exact integers.
 * ```
 *   0  f32[4]  red/z, green/z, blue/z, 1/z at the anchor; with TRIANGLE_FLAT red, green, blue everywhere, not over z
 *  16  f32[4]  what they gain a pixel to the right
 *  32  f32[4]  what they gain a row downwards
 *  48  f32     u/z at the anchor
 *  52  f32     v/z
 *  56  f32     u/z gains a pixel to the right
 *  60  f32     v/z
 *  64  f32     u/z gains a row downwards
 *  68  f32     v/z
 *  72  f32     anchorX   column and row of the anchor, integers
 *  76  f32     anchorY
 *  80  f32     topX      its vertices from top to bottom, px
 *  84  f32     topY
 *  88  f32     middleX
 *  92  f32     middleY
 *  96  f32     bottomY
 * 100  f32     longSlope   dx/dy from top to bottom
 * 104  f32     upperSlope  from top to middle
 * 108  f32     lowerSlope  from middle to bottom
 * 112  i16     left      pixels that may hold samples of it: left ≤ x < right, top ≤ y < bottom; within the rectangle
 * 114  i16     top
 * 116  i16     right
 * 118  i16     bottom
 * 120  u32     instance  address of the instance record
 * 124  u32     flags     TRIANGLE_ON_RIGHT | TRIANGLE_ON_GROUND | TRIANGLE_TEXTURED | TRIANGLE_FLAT, << 8 the number of a ground's level
 * ```
 * An edge crosses the height Y at x = upperX + (Y − upperY)·slope, in f32, whichever triangle asks: a sample belongs to
 * exactly one of the triangles that share the edge (left and top edges are inside).
 *
 * Where normals are wanted a second array has, at the same numbers, three f32[4]: normal/z at the anchor, its gains a pixel
 * to the right and a row downwards.
 */
export const TRIANGLE_VALUE: usize = 0;
export const TRIANGLE_DX: usize = 16;
export const TRIANGLE_DY: usize = 32;
export const TRIANGLE_UV: usize = 48;
export const TRIANGLE_UV_DX: usize = 56;
export const TRIANGLE_UV_DY: usize = 64;
export const TRIANGLE_ANCHOR_X: usize = 72;
export const TRIANGLE_ANCHOR_Y: usize = 76;
export const TRIANGLE_TOP_X: usize = 80;
export const TRIANGLE_TOP_Y: usize = 84;
export const TRIANGLE_MIDDLE_X: usize = 88;
export const TRIANGLE_MIDDLE_Y: usize = 92;
export const TRIANGLE_BOTTOM_Y: usize = 96;
export const TRIANGLE_LONG_SLOPE: usize = 100;
export const TRIANGLE_UPPER_SLOPE: usize = 104;
export const TRIANGLE_LOWER_SLOPE: usize = 108;
export const TRIANGLE_LEFT: usize = 112;
export const TRIANGLE_TOP: usize = 114;
export const TRIANGLE_RIGHT: usize = 116;
export const TRIANGLE_BOTTOM: usize = 118;
export const TRIANGLE_INSTANCE: usize = 120;
export const TRIANGLE_STATE: usize = 124;
export const TRIANGLE_BYTES: usize = 128;
/** log2 of TRIANGLE_BYTES. */
export const TRIANGLE_SHIFT: usize = 7;
export const PLANES_BYTES: usize = 48;

/** The middle vertex lies to the right of the long edge. */
export const TRIANGLE_ON_RIGHT: u32 = 1;
/** Of a ground mesh. */
export const TRIANGLE_ON_GROUND: u32 = 2;
export const TRIANGLE_TEXTURED: u32 = 4;
/** Its three vertices have the same colour. */
export const TRIANGLE_FLAT: u32 = 8;

/** Bit of a mark: ground in shadow. */
export const SHADOWED: u32 = 0x80000000;

/**
 * ## Draw record: the state of one call, at the start of its scratch
 * Written by openDraw (state.ts). What an instance is set up against is the rectangle [left, right) × [top, bottom).
 * ```
 *   0  u32      view       address of the view record
 *   4  u32      vertices   vertex records
 *   8  u32      bent       f32 x, y, z and normal x, y, z [NV'] of a bent mesh
 *  12  u32      triangles  triangle records; number 0 is none
 *  16  u32      planes     planes of normals at the same numbers, 0 when not wanted
 *  20  u32      capacity   triangle records that there is room for
 *  24  u32      count      first number that is free; 1 at the beginning
 *  28  i32      left       px
 *  32  i32      top
 *  36  i32      right
 *  40  i32      bottom
 *  44  f32      first      earliest place of a sample in its pixel: ½, or ⅛ with four samples …
 *  48  f32      last       … and the latest: ½ or ⅞
 *  52  u32      overflow   1: a triangle found no room
 *  56  u32      clip       clip vertices, two polygons
 *  60  u32      ranges     u32 [instances, 2]: numbers of its triangles, from and up to
 *  64  u32      rowColor   f32×4 a pixel: a row of colours
 *  68  u32      rowDepth   f32 a pixel
 *  72  u32      rowMark    u32 a pixel: who holds it
 *  76  u32      rowNormal  f32×4 a pixel
 *  80  u32      depth      samples of a band of rows: f32 1/z, 0 where nothing is …
 *  84  u32      marks      … and u32 marks; with four samples those of a pixel stand together
 *  88  u32      order      u32 [capacity]: triangles by the band where they begin
 *  92  u32      active     u32 [capacity] twice: triangles that touch the band
 *  96  u32      shade      u8 [H, pitch] for every level of ground: bit k: sample k lies in shadow
 * 100  u32      levels     levels of ground that receive shadows
 * 104  u32      pitch      samples of a pixel row: pixels from row to row, at least width + 8
 * 108  f32[4]   levelHeights  height of each above the world's ground, m
 * 128  f32      factors of the instance that is being set up:
 * 128  f32[3]   its tint · ambient
 * 140  f32[3]   its tint · sun
 * 152  f32[9]   cofactors of its matrix, row-major: what turns normals
 * 188  f32      −1 when its matrix mirrors, else 1
 * 192  f32[4]   shadow factors: what a shadow leaves of ground's colour, by channel; and 1
 * 208  u32      bands      u32 [bands + 1]: where each band begins in `order`
 * 212  u32      samples    1 or 4
 * 216  u32      bandRows   pixel rows of a band
 * 220  u32      wanted     1: vertices get normals
 * 256  constants           vectors that loops hold in registers: V8 builds literal ones anew in every iteration
 * ```
 */
export const DRAW_VIEW: usize = 0;
export const DRAW_VERTICES: usize = 4;
export const DRAW_BENT: usize = 8;
export const DRAW_TRIANGLES: usize = 12;
export const DRAW_PLANES: usize = 16;
export const DRAW_CAPACITY: usize = 20;
export const DRAW_COUNT: usize = 24;
export const DRAW_LEFT: usize = 28;
export const DRAW_TOP: usize = 32;
export const DRAW_RIGHT: usize = 36;
export const DRAW_BOTTOM: usize = 40;
export const DRAW_FIRST: usize = 44;
export const DRAW_LAST: usize = 48;
export const DRAW_OVERFLOW: usize = 52;
export const DRAW_CLIP: usize = 56;
export const DRAW_RANGES: usize = 60;
export const DRAW_ROW_COLOR: usize = 64;
export const DRAW_ROW_DEPTH: usize = 68;
export const DRAW_ROW_MARK: usize = 72;
export const DRAW_ROW_NORMAL: usize = 76;
export const DRAW_DEPTH: usize = 80;
export const DRAW_MARKS: usize = 84;
export const DRAW_ORDER: usize = 88;
export const DRAW_ACTIVE: usize = 92;
export const DRAW_SHADE: usize = 96;
export const DRAW_LEVELS: usize = 100;
export const DRAW_PITCH: usize = 104;
export const DRAW_LEVEL_HEIGHTS: usize = 108;
export const DRAW_AMBIENT: usize = 128;
export const DRAW_SUN: usize = 140;
export const DRAW_COFACTORS: usize = 152;
export const DRAW_MIRROR: usize = 188;
export const DRAW_SHADOW_FACTORS: usize = 192;
export const DRAW_BANDS: usize = 208;
export const DRAW_SAMPLES: usize = 212;
export const DRAW_BAND_ROWS: usize = 216;
export const DRAW_WANTED: usize = 220;
/** f32 0, 1, 2, 3. */
export const DRAW_LANES: usize = 256;
/** f32 1.5 · 2^23 four times, and so on: added to an integer it shows its bits at the bottom of the sum. */
export const DRAW_MAGIC: usize = 272;
export const DRAW_HALF: usize = 288;
export const DRAW_ONE: usize = 304;
/** Places of the four samples in their pixel: a rotated grid, from top to bottom. */
export const DRAW_SAMPLE_X: usize = 320;
export const DRAW_SAMPLE_Y: usize = 336;
/** The same, from the pixel's centre. */
export const DRAW_CENTRED_X: usize = 352;
export const DRAW_CENTRED_Y: usize = 368;
/** ½, 1½, 2½, 3½: centres of four rows. */
export const DRAW_ROWS: usize = 384;
/** The rectangle as f32: left, top, left, top and right, bottom, right, bottom. */
export const DRAW_NEAR_CORNER: usize = 400;
export const DRAW_FAR_CORNER: usize = 416;
/** `first` and `last`. */
export const DRAW_FIRSTS: usize = 432;
export const DRAW_LASTS: usize = 448;
/** Of the rectangle, four times each. */
export const DRAW_LEFTS: usize = 464;
export const DRAW_RIGHTS: usize = 480;
export const DRAW_TOPS: usize = 496;
export const DRAW_BOTTOMS: usize = 512;
/** By how much ground may be behind ground and still be drawn over it: 1 + 2^-10. */
export const DRAW_BIAS: usize = 528;
export const DRAW_TWO_23: usize = 544;
export const DRAW_255: usize = 560;
/** f32[16, 2]: mean place of the samples of a mask (bit k: sample k), from the pixel's centre. */
export const DRAW_CENTROIDS: usize = 576;
/** f32[4]: haze colour and 1; the same for the horizon, and from it to the zenith. */
export const DRAW_HAZE_COLOR: usize = 704;
export const DRAW_HORIZON: usize = 720;
export const DRAW_TO_ZENITH: usize = 736;
/** Haze as a power of two: log2(e) · VIEW_HAZE, 0 when clear. */
export const DRAW_HAZE: usize = 752;
/** What a texel's bytes times weights of 14 bits are multiplied by: a texture's light carries it. */
export const DRAW_TEXEL: usize = 768;
/** Shadow factors · DRAW_TEXEL. */
export const DRAW_SHADOW_TEXEL: usize = 800;
/** 2^14, as f32. */
export const DRAW_WEIGHT: usize = 1120;
/** u32[4]: labels of a pixel's samples. */
export const DRAW_TALLY: usize = 784;
/** Copy of the instance record whose shadow is being cast, with the matrix that lays it on the ground. */
export const DRAW_CASTER: usize = 832;
/** f32 4, four times. */
export const DRAW_FOUR: usize = 816;
/** f32[8]: spans of a shadow. */
export const DRAW_SPANS: usize = 960;
/** Target record of the band. */
export const DRAW_TARGET: usize = 1024;
/** 1.5 · 2^23 + 2^14, as f32. */
export const DRAW_WEIGHT_MAGIC: usize = 992;
/** Run record, of the run that texturedRun (texturedRun.ts) is about. */
export const DRAW_RUN: usize = 1152;
/** Used by one triangle (rows of it: rasterOne.ts, rasterFour.ts) or one run (taps records [16], texturedRun.ts) at a time. */
export const DRAW_WORK: usize = 1440;
export const DRAW_BYTES: usize = 2976;
/** Levels of ground (heights) that shadows fall on. */
export const MOST_LEVELS_OF_GROUND: u32 = 4;

/**
 * ## Run record: what the pixels of a run with a texture have in common
 * Four times each. Columns count from the triangle's anchor.
 * ```
 *   0  f32  inverse     1/z at column 0 …
 *  16  f32  inverseDx   … and what it gains a column
 *  32  f32  u           u/z in texels of the open level …
 *  48  f32  uDx
 *  64  f32  v           … and v/z
 *  80  f32  vDx
 *  96  u16  masks       columns less 1 and rows less 1 of the open level
 * 112  u16  strides     bytes of a texel and of a row of it
 * 128  u32  texels      its address
 * 144  f32[4] color     what texels are multiplied by: flat, or over z at column 0 …
 * 160  f32[4] colorDx   … and what it gains a column
 * 176  u32  stride      bytes of a row of it
 * 192  f32  across      square of what a pixel spans to the right, in texels of level 0, over z⁴
 * 208  f32  downU       what it spans downwards, over z², in u …
 * 224  f32  downUDx
 * 240  f32  downV       … and in v
 * 256  f32  downVDx
 * 272  i32  last        last level
 * ```
 */
export const RUN_INVERSE: usize = 0;
export const RUN_INVERSE_DX: usize = 16;
export const RUN_U: usize = 32;
export const RUN_U_DX: usize = 48;
export const RUN_V: usize = 64;
export const RUN_V_DX: usize = 80;
export const RUN_MASKS: usize = 96;
export const RUN_STRIDES: usize = 112;
export const RUN_TEXELS: usize = 128;
export const RUN_COLOR: usize = 144;
export const RUN_COLOR_DX: usize = 160;
export const RUN_STRIDE: usize = 176;
export const RUN_ACROSS: usize = 192;
export const RUN_DOWN_U: usize = 208;
export const RUN_DOWN_U_DX: usize = 224;
export const RUN_DOWN_V: usize = 240;
export const RUN_DOWN_V_DX: usize = 256;
export const RUN_LAST: usize = 272;

/**
 * ## Taps record: where and how a texture is sampled for four pixels
 * ```
 *  0  u32[4]  upper    addresses of texels …
 * 16  u32[4]  lower    … and of those below
 * 32  u32[4]  weights  i16 16384 − w and w: of a texel and its right neighbour
 * 48  f32[4]  parts    weight of the lower row
 * 64  f32[4]  columns  for light that is not the same everywhere: columns from the anchor …
 * 80  f32[4]  depths   … and depth there
 * ```
 */
export const TAPS_UPPER: usize = 0;
export const TAPS_LOWER: usize = 16;
export const TAPS_WEIGHTS: usize = 32;
export const TAPS_PARTS: usize = 48;
export const TAPS_COLUMNS: usize = 64;
export const TAPS_DEPTHS: usize = 80;
export const TAPS_BYTES: usize = 96;

/** Result of drawMeshes: a triangle found no room. */
export const STATUS_ROOM: u32 = 8;

/**
 * ## Target record: samples of a rectangle that triangles are rasterised into
 * ```
 *   0  u32  depth    f32 1/z of the sample (left, top): 0, or 1/far, where nothing is
 *   4  u32  marks    u32 mark of the sample (left, top)
 *   8  i32  left     the rectangle, px
 *  12  i32  top
 *  16  i32  right
 *  20  i32  bottom
 *  24  i32  pitch    pixels from row to row, at least right − left + 4: loops write old values back behind a row's end
 * ```
 * With four samples a pixel's stand together, in the order of SAMPLE_X.
 */
export const TARGET_DEPTH: usize = 0;
export const TARGET_MARKS: usize = 4;
export const TARGET_LEFT: usize = 8;
export const TARGET_TOP: usize = 12;
export const TARGET_RIGHT: usize = 16;
export const TARGET_BOTTOM: usize = 20;
export const TARGET_PITCH: usize = 24;
export const TARGET_BYTES: usize = 32;
