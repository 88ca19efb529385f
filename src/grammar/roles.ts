/** What an attribute can be to the renderer (`AttributeRole` in schemas/sceneGraph.fbs), by the names that grammars use. */
export const ROLE_NAMES = [
  'none',
  'x',
  'y',
  'rotation',
  'scale',
  'scaleX',
  'scaleY',
  'brightness',
  'opacity',
  'red',
  'green',
  'blue',
  'z',
  'pitch',
  'roll',
  'scaleZ',
  'fieldOfView',
  'curvature',
  'curvatureRate',
  'ambient',
  'haze',
] as const;
export type RoleName = (typeof ROLE_NAMES)[number];

/** Roles that only scenes of one dimension have; all others are of both. */
const DIMENSIONS: Partial<Record<RoleName, 2 | 3>> = {
  opacity: 2,
  z: 3,
  pitch: 3,
  roll: 3,
  scaleZ: 3,
  fieldOfView: 3,
  curvature: 3,
  curvatureRate: 3,
  ambient: 3,
  haze: 3,
};

const FACTORS: readonly RoleName[] = [
  ...(['scale', 'scaleX', 'scaleY', 'scaleZ'] as const),
  ...(['brightness', 'opacity', 'red', 'green', 'blue'] as const),
];

/** Light of the sky in scenes that have no light of their own (assembly/engine/mesh). */
const DAYLIGHT = 0.45;

/** The dimension that a role is for; undefined: both. */
export function dimensionOfRole(role: RoleName): 2 | 3 | undefined {
  return DIMENSIONS[role];
}

/** Roles that scenes of a dimension know. */
export function rolesOf(dimension: 2 | 3): RoleName[] {
  return ROLE_NAMES.filter((role) => (DIMENSIONS[role] ?? dimension) === dimension);
}

/** The value of nodes whose class says nothing. */
export function neutralValue(role: RoleName): number {
  if (role === 'ambient') return DAYLIGHT;
  return FACTORS.includes(role) ? 1 : 0;
}

/** As printed. */
export function unitOfRole(role: RoleName, dimension: 2 | 3): string {
  switch (role) {
    case 'x':
    case 'y':
    case 'z':
      return dimension === 2 ? 'px' : 'm';
    case 'rotation':
    case 'pitch':
    case 'roll':
    case 'fieldOfView':
      return 'deg';
    case 'curvature':
      return '1/m';
    case 'curvatureRate':
      return '1/m²';
    case 'haze':
      return '1/km';
    default:
      return '';
  }
}

/** Range of an attribute that gives none. */
export function rangeOfRole(
  role: RoleName,
  dimension: 2 | 3,
  canvas: { readonly width: number; readonly height: number },
): [number, number] {
  if (dimension === 2 && role === 'x') return [-canvas.width, canvas.width];
  if (dimension === 2 && role === 'y') return [-canvas.height, canvas.height];
  switch (role) {
    case 'x':
    case 'z':
      return [-200, 200];
    case 'y':
      return [-20, 20];
    case 'rotation':
      // 0° is in the middle, not at the seam.
      return [-180, 180];
    case 'pitch':
    case 'roll':
      return [-90, 90];
    case 'scale':
    case 'scaleX':
    case 'scaleY':
    case 'scaleZ':
      return [0.25, 4];
    case 'fieldOfView':
      return [0, 120];
    case 'curvature':
      return [-0.1, 0.1];
    case 'curvatureRate':
      return [-0.005, 0.005];
    case 'haze':
      return [0, 50];
    case 'none':
    case 'opacity':
      return [0, 1];
    default:
      return [0, 2];
  }
}
