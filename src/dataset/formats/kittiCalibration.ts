/** The calibration file of a KITTI object frame: matrices row by row (readme of the object development kit). */
export interface KittiCalibration {
  /** Projections [3 × 4] from rectified camera coordinates to pixels of the cameras 0 to 3; 2 took `image_2`. */
  readonly P0: readonly number[];
  readonly P1: readonly number[];
  readonly P2: readonly number[];
  readonly P3: readonly number[];
  /** Rectifying rotation [3 × 3]. */
  readonly R0_rect: readonly number[];
  /** Rigid motions [3 × 4]: laser scanner to camera 0, inertial unit to laser scanner. */
  readonly Tr_velo_to_cam: readonly number[];
  readonly Tr_imu_to_velo: readonly number[];
}

const ORDER = ['P0', 'P1', 'P2', 'P3', 'R0_rect', 'Tr_velo_to_cam', 'Tr_imu_to_velo'] as const;

/** Content of a `calib` file: thirteen digits a number, an empty line at the end, as in KITTI's own. */
export function formatKittiCalibration(calibration: KittiCalibration): string {
  const lines = ORDER.map((name) => `${name}: ${calibration[name].map(scientific).join(' ')}\n`);
  return `${lines.join('')}\n`;
}

/**
 * For pictures that no camera took. Nothing in it is measured; it is there because tools insist on the file. All four
 * cameras are one pinhole with a focal length of 1 px whose axis meets the centre of the canvas, nothing has to be
 * rectified, and scanner and inertial unit sit at the camera, with their own axes (x forward, y left, z up, where the
 * camera's are x right, y down, z forward).
 * @param width of the canvas, px
 * @param height of the canvas, px
 */
export function flatCalibration(width: number, height: number): KittiCalibration {
  // KITTI's pixel coordinates are 0 at the centre of the first pixel.
  const pinhole = [1, 0, (width - 1) / 2, 0, 0, 1, (height - 1) / 2, 0, 0, 0, 1, 0];
  return {
    ...{ P0: pinhole, P1: pinhole, P2: pinhole, P3: pinhole },
    R0_rect: [1, 0, 0, 0, 1, 0, 0, 0, 1],
    Tr_velo_to_cam: [0, -1, 0, 0, 0, 0, -1, 0, 1, 0, 0, 0],
    Tr_imu_to_velo: [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0],
  };
}

/** As C prints `%.12e`: at least two digits in the exponent. */
function scientific(value: number): string {
  return value.toExponential(12).replace(/e([+-])(\d)$/, 'e$10$2');
}
