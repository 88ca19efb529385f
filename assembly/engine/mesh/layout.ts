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
 * ```
 * shade = ambient + sun · max(0, n · light); colour = texture · vertex colour · tint · shade, then haze. With 4 samples a
 * pixel's colour is their mean; its label is what holds most of them, the nearest of those that hold equally many; its
 * depth is the harmonic mean of that instance's samples.
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
