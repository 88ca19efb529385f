import { cos, sin, TURN } from '../../deterministicMath.js';
import { type Colour, lit, mix } from '../aerial/painter.js';
import { box, disc, grown, intersection, line, type Point, polygon, type Shape } from '../aerial/shapes.js';
import type { SpriteImage } from '../assetLibrary.js';
import { Atlas, type Region } from './atlas.js';
import { beltAt, ROOF_EDGE, sectionAt } from './carBody.js';
import type { Car } from './carShapes.js';
import { Picture, remembered, rowPaint } from './picture.js';

export const CAR_TEXTURE_SIZE = 256;
/** Pictures on the texture: the car from its side (front to the left), front, rear and above (front to the left). */
export const CAR_REGIONS = {
  side: { x: 0, y: 0, width: 256, height: 96 },
  front: { x: 0, y: 96, width: 128, height: 80 },
  rear: { x: 128, y: 96, width: 128, height: 80 },
  wheel: { x: 0, y: 176, width: 80, height: 80 },
  top: { x: 80, y: 176, width: 128, height: 64 },
  paint: { x: 210, y: 178, width: 12, height: 12 },
  plastic: { x: 226, y: 178, width: 12, height: 12 },
  white: { x: 242, y: 178, width: 12, height: 12 },
  metal: { x: 210, y: 194, width: 12, height: 12 },
} as const satisfies Record<string, Region>;

const PLASTIC: Colour = [44, 45, 47];
const SEAM: Colour = [16, 16, 18];
const SKY: Colour = [196, 208, 220];
const CHROME: Colour = [196, 198, 200];
const RED: Colour = [150, 16, 18];
const LENS: Colour = [206, 211, 214];

/** The texture of a car: paint with what it reflects, glass, lights, number plates, seams. */
export function drawCarTexture(car: Car): SpriteImage {
  const atlas = new Atlas(CAR_TEXTURE_SIZE);
  const plain = (region: Region, colour: Colour) => {
    // A rim around the patch, so that nothing else bleeds in.
    const grownRegion = { x: region.x - 2, y: region.y - 2, width: region.width + 4, height: region.height + 4 };
    atlas.draw(grownRegion, new Picture(grownRegion.width, grownRegion.height, colour));
  };
  plain(CAR_REGIONS.paint, car.paint);
  plain(CAR_REGIONS.plastic, PLASTIC);
  plain(CAR_REGIONS.white, [255, 255, 255]);
  plain(CAR_REGIONS.metal, CHROME);
  return atlas
    .draw(CAR_REGIONS.side, drawSide(car))
    .draw(CAR_REGIONS.front, drawFront(car))
    .draw(CAR_REGIONS.rear, drawRear(car))
    .draw(CAR_REGIONS.wheel, drawWheel(car))
    .draw(CAR_REGIONS.top, drawTop(car))
    .image();
}

/** Paint that stands upright: the sky above its shoulder, the road below the crease. */
function uprightPaint(car: Car, h: number): Colour {
  const share = h / car.height;
  const body = lit(car.paint, share < 0.16 ? 0.72 : share < 0.4 ? 0.84 + 0.3 * (share - 0.16) : 0.97);
  const sky = Math.max(0, Math.min(1, (share - 0.38) / 0.2)) * 0.15 + (share > 0.4 && share < 0.44 ? 0.06 : 0);
  return mix(body, SKY, sky);
}

/** Dark glass: `share` 0 at its lower edge, 1 at the upper. Ground and houses are mirrored below, the sky above. */
function glass(share: number, aside: number, dark = 1): Colour {
  const sky = Math.max(0, Math.min(1, 1.5 * share - 0.45 + 0.12 * aside));
  return lit(mix([24, 27, 29], [88, 102, 114], 0.75 * sky), dark);
}

function drawSide(car: Car): Picture {
  const { side } = CAR_REGIONS;
  const { shape, height, length } = car;
  const x = (s: number) => (s - 0.5) * side.width;
  const y = (h: number) => side.height * (0.5 - h / height);
  const heightAt = (py: number) => (0.5 - py / side.height) * height;
  const meters = side.width / length;
  const painter = new Picture(
    side.width,
    side.height,
    rowPaint((py) => uprightPaint(car, heightAt(py))),
  );
  // Sills and bumpers.
  const sill = shape.clearance + 0.07;
  painter.fill(area(x(0), y(sill), x(1), y(0)), car.plainBumpers ? PLASTIC : lit(car.paint, 0.5));
  const bumper = 0.36 * height;
  if (car.plainBumpers) {
    painter.fill(area(x(0), y(bumper), x(0.055), y(0)), PLASTIC);
    painter.fill(area(x(0.95), y(bumper), x(1), y(0)), PLASTIC);
    painter.fill(area(x(shape.axles[0] + 0.09), y(0.39 * height), x(shape.axles[1] - 0.09), y(0.36 * height)), PLASTIC);
  } else {
    for (const s of [0.075, 0.94])
      painter.fill(line([x(s), y(0.4 * height)], [x(s), y(sill)], 0.3), SEAM, { alpha: 0.6 });
  }
  const doors = car.panelled ? shape.doors : car.threeDoors ? shape.doors.slice(0, 1).concat(0.6) : shape.doors;
  for (const [i, s] of doors.entries()) {
    const lean = i === doors.length - 1 && !car.panelled ? 0.012 : 0;
    painter.fill(line([x(s + lean), y(beltAt(car, s))], [x(s), y(sill + 0.02)], 0.42), SEAM, { alpha: 0.75 });
    if (i === 0) continue;
    const handle: Point = [x(s - 0.028), y(beltAt(car, s) - 0.065 * height)];
    painter.fill(box(handle[0], handle[1] + 0.8, 3.2, 1.1, 0.6), SEAM, { alpha: 0.5 });
    painter.fill(box(handle[0], handle[1], 3.2, 0.8, 0.5), car.chrome ? CHROME : lit(car.paint, 1.15));
  }
  painter.fill(line([x(doors[0]), y(sill + 0.02)], [x(doors[doors.length - 1]), y(sill + 0.02)], 0.4), SEAM, {
    alpha: 0.6,
  });
  drawSideWindows(painter, car, x, y);
  // Lights go round the corners.
  const front = lampHeights(car);
  painter.fill(
    polygon([
      [x(-0.01), y(front[0])],
      [x(0.035), y(front[0] + 0.03)],
      [x(0.06), y(front[1])],
      [x(-0.01), y(front[1])],
    ]),
    (px) => (px > x(0.04) ? [190, 140, 80] : LENS),
  );
  const rear = tailHeights(car);
  painter.fill(box(x(1), (y(rear[0]) + y(rear[1])) / 2, 0.035 * side.width, (y(rear[0]) - y(rear[1])) / 2, 2), RED);
  painter.fill(box(x(0.145), y(0.43 * height), 1.6, 0.7, 0.4), [206, 128, 44]);
  // Edges of the wheel arches.
  for (const axle of shape.axles) {
    const radius = car.wheelRadius + 0.045;
    const circle = Array.from({ length: 18 }, (_, i): Point => {
      const angle = (TURN * i) / 18;
      return [x(axle) + radius * cos(angle) * meters, y(car.wheelRadius + radius * sin(angle))];
    });
    const arch = polygon(circle);
    const lip = car.plainBumpers && (car.name === 'suv' || car.name === 'pickup') ? 3 : 0.7;
    painter.fill(grown(arch, lip), lip > 1 ? PLASTIC : SEAM, { alpha: lip > 1 ? 1 : 0.55 });
  }
  return painter;
}

function drawSideWindows(painter: Picture, car: Car, x: (s: number) => number, y: (h: number) => number): void {
  const { shape, height, length } = car;
  const upper: Point[] = [];
  const lower: Point[] = [];
  const end = car.panelled ? shape.posts[0] : shape.windowsEnd;
  for (let i = 0; i <= 22; i++) {
    const at = shape.cowl[0] - 0.03 + (i / 22) * (shape.glassBottom[0] - shape.cowl[0] + 0.03);
    const edge = sectionAt(car, at)[ROOF_EDGE];
    const s = 0.5 - edge[2] / length;
    const [low, high] = [beltAt(car, s) + 0.014 * height, -edge[1] - 0.022 * height];
    // The last window's rear edge leans forwards as the car's rear does.
    const lean = end - (car.panelled ? 0 : 0.035) * Math.max(0, (high - low) / (0.3 * height));
    if (high - low < 0.025 * height || s > end) continue;
    if (s <= lean) upper.push([x(s), y(high)]);
    lower.push([x(s), y(low)]);
  }
  if (upper.length < 2) return;
  const shapeOfGlass = remembered(polygon([...upper, ...lower.reverse()]), painter);
  const [, top, , bottom] = shapeOfGlass.bounds;
  painter.fill(grown(shapeOfGlass, car.chrome ? 1.7 : 1.3), car.chrome ? CHROME : SEAM);
  painter.fill(grown(shapeOfGlass, 0.7), SEAM);
  const firstPost = x(shape.posts[0] ?? 1);
  painter.fill(grown(shapeOfGlass, -0.2), (px, py) =>
    glass((bottom - py) / (bottom - top), ((px - 0.6 * py) / 40) % 1, car.privacy && px > firstPost ? 0.62 : 1),
  );
  // Seats and the far side show a little.
  for (const s of [0.5, 0.69]) {
    const seat = box(x(s), bottom - 3, 4, 8, 3);
    painter.fill(intersection(seat, grown(shapeOfGlass, -0.5)), [14, 15, 16], { alpha: 0.5 });
  }
  const posts = car.panelled ? [] : car.threeDoors ? [0.6, ...shape.posts.slice(1)] : shape.posts;
  for (const [i, s] of posts.entries()) {
    const width = i === 0 ? 2.6 : 2;
    const post = polygon([
      [x(s) - width, bottom + 1],
      [x(s) + width, bottom + 1],
      [x(s) + width - 2, top - 1],
      [x(s) - width - 2, top - 1],
    ]);
    painter.fill(intersection(post, grown(shapeOfGlass, 0.6)), i === 0 ? SEAM : lit(car.paint, 0.9));
  }
}

function drawFront(car: Car): Picture {
  const { front } = CAR_REGIONS;
  const { shape, height, halfWidth } = car;
  const x = (m: number) => (m / halfWidth) * (front.width / 2);
  const y = (h: number) => front.height * (0.5 - h / height);
  const painter = new Picture(
    front.width,
    front.height,
    rowPaint((py) => uprightPaint(car, (0.5 - py / front.height) * height)),
  );
  const [low, high] = lampHeights(car);
  // Bumper, its intake and the strip below.
  if (car.plainBumpers) painter.fill(area(-64, y(0.34 * height), 64, y(0)), PLASTIC);
  painter.fill(area(-64, y(shape.clearance + 0.06), 64, y(0)), SEAM);
  painter.fill(box(0, y(0.185 * height), x(0.55 * halfWidth), 4, 2), [20, 20, 22]);
  for (const sign of [-1, 1]) {
    painter.fill(box(sign * x(0.76 * halfWidth), y(0.19 * height), 6, 2.8, 2), [20, 20, 22]);
    if (car.chrome) painter.fill(disc(sign * x(0.76 * halfWidth), y(0.19 * height), 1.9), LENS);
  }
  painter.fill(line([-64, y(low - 0.03)], [64, y(low - 0.03)], 0.35), SEAM, { alpha: 0.5 });
  // Grille with slats and badge.
  const grille = box(0, (y(low) + y(high)) / 2, x(0.42 * halfWidth), (y(low) - y(high)) * 0.46, 2.5);
  painter.fill(grown(grille, car.chrome ? 1.3 : 0.8), car.chrome ? CHROME : lit(car.paint, 0.7));
  painter.fill(grille, (_, py) => (Math.floor(py / 1.6) % 2 === 0 ? [18, 18, 20] : [50, 51, 53]));
  painter.fill(disc(0, (y(low) + y(high)) / 2, 2.4), CHROME);
  // Head lights: a lens with its reflector.
  for (const sign of [-1, 1]) {
    const lamp = polygon([
      [sign * x(0.5 * halfWidth), y(low + 0.01)],
      [sign * x(0.56 * halfWidth), y(high - 0.02)],
      [sign * x(0.86 * halfWidth), y(high + 0.02)],
      [sign * x(1.02 * halfWidth), y(high)],
      [sign * x(1.02 * halfWidth), y(low + 0.01)],
    ]);
    painter.fill(grown(lamp, 0.7), SEAM);
    painter.fill(lamp, (px, py) => mix([120, 126, 130], LENS, 0.5 + 0.5 * Math.min(1, Math.abs(px + py) / 40)));
    painter.fill(disc(sign * x(0.68 * halfWidth), (y(low) + y(high)) / 2, 3.1), [70, 74, 78]);
    painter.fill(disc(sign * x(0.68 * halfWidth), (y(low) + y(high)) / 2, 2.2), [244, 246, 246]);
  }
  drawPlate(painter, car, 0, y(0.27 * height), x(0.26));
  // Windscreen.
  const cowl = sectionAt(car, shape.cowl[0])[ROOF_EDGE];
  const header = sectionAt(car, shape.roof[0][0])[ROOF_EDGE];
  drawWindow(painter, [
    [x(0.98 * cowl[0]), y(-cowl[1] + 0.015 * height)],
    [x(0.95 * header[0]), y(-header[1] - 0.005 * height)],
    [x(0.6 * header[0]), y(-header[1] + 0.012 * height)],
  ]);
  const bottom = y(-cowl[1] + 0.03 * height);
  painter.fill(line([x(-0.1), bottom], [x(0.55 * cowl[0]), bottom - 2.5], 0.5), SEAM);
  painter.fill(line([x(-0.75 * cowl[0]), bottom], [x(-0.15), bottom - 2.5], 0.5), SEAM);
  return painter;
}

function drawRear(car: Car): Picture {
  const { rear } = CAR_REGIONS;
  const { shape, height, halfWidth } = car;
  const x = (m: number) => (m / halfWidth) * (rear.width / 2);
  const y = (h: number) => rear.height * (0.5 - h / height);
  const painter = new Picture(
    rear.width,
    rear.height,
    rowPaint((py) => uprightPaint(car, (0.5 - py / rear.height) * height)),
  );
  const [low, high] = tailHeights(car);
  if (car.plainBumpers) painter.fill(area(-64, y(0.36 * height), 64, y(0)), PLASTIC);
  painter.fill(area(-64, y(shape.clearance + 0.07), 64, y(0)), SEAM);
  painter.fill(line([-64, y(0.37 * height)], [64, y(0.37 * height)], 0.45), SEAM, { alpha: 0.7 });
  // Outline of the boot lid.
  for (const sign of [-1, 1]) {
    painter.fill(
      line([sign * x(0.72 * halfWidth), y(0.37 * height)], [sign * x(0.74 * halfWidth), y(0.66 * height)], 0.4),
      SEAM,
      {
        alpha: 0.6,
      },
    );
    const inner = car.wideTailLights && car.name !== 'van' ? 0.5 : car.name === 'van' ? 0.84 : 0.68;
    const lamp = polygon([
      [sign * x(inner * halfWidth), y(low + 0.02)],
      [sign * x(inner * halfWidth), y(high)],
      [sign * x(1.02 * halfWidth), y(high)],
      [sign * x(1.02 * halfWidth), y(low)],
    ]);
    painter.fill(grown(lamp, 0.6), SEAM);
    painter.fill(lamp, (px, py) => {
      const across = Math.abs(px) / 64;
      const share = (y(low) - py) / (y(low) - y(high));
      if (share > 0.3 && share < 0.52 && across < inner + 0.22) return [206, 178, 170];
      return lit(RED, across > 0.9 ? 0.75 : 1 + 0.25 * share);
    });
    painter.fill(box(sign * x(0.8 * halfWidth), y(0.2 * height), 5, 1.2, 0.5), [120, 14, 16]);
  }
  if (car.name === 'van') painter.fill(line([0, y(0.2 * height)], [0, y(0.97 * height)], 0.5), SEAM, { alpha: 0.7 });
  const plateHeight = car.plate % 3 === 0 ? 0.28 : (0.5 * (low + high)) / height - 0.02;
  painter.fill(box(0, y(plateHeight * height), x(0.31), (0.09 * rear.height) / height, 1), lit(car.paint, 0.72));
  drawPlate(painter, car, 0, y(plateHeight * height), x(0.26));
  if (car.plate % 3 === 0) painter.fill(disc(0, y(high - 0.08), 1.7), CHROME);
  if (car.chrome) painter.fill(line([-x(0.3), y(high - 0.05)], [x(0.3), y(high - 0.05)], 0.7), CHROME);
  // Rear window.
  const bottom = sectionAt(car, shape.glassBottom[0])[ROOF_EDGE];
  const top = sectionAt(car, shape.roof[shape.roof.length - 1][0])[ROOF_EDGE];
  if (car.name === 'truck' || (car.panelled && car.plate % 2 === 0)) return painter;
  drawWindow(
    painter,
    [
      [x(0.93 * bottom[0]), y(-bottom[1] + 0.02 * height)],
      [x(0.91 * top[0]), y(-top[1] - 0.012 * height)],
      [x(0.6 * top[0]), y(-top[1] - 0.002 * height)],
    ],
    car.privacy ? 0.7 : 0.9,
  );
  if (car.name === 'van') painter.fill(line([0, y(0.5 * height)], [0, y(0.97 * height)], 1.6), lit(car.paint, 0.9));
  return painter;
}

/** Glass between two mirrored outlines, given by their right halves from below. */
function drawWindow(painter: Picture, right: readonly Point[], dark = 1): void {
  const left = right.map(([px, py]): Point => [-px, py]).reverse();
  const pane = polygon([...right, ...left]);
  const [, top, , bottom] = pane.bounds;
  painter.fill(grown(pane, 0.8), SEAM);
  painter.fill(grown(pane, -0.6), (px, py) => {
    const share = (bottom - py) / (bottom - top);
    // The sky above the opposite roofs, broken by what stands there.
    return glass(0.35 + 0.5 * share, 0.6 * (((px + 90) / 38) % 1) - 0.2, dark);
  });
}

/** A number plate: white, the blue band at its left, dark letters. */
function drawPlate(painter: Picture, car: Car, x: number, y: number, rx: number): void {
  const ry = (0.057 * painter.height) / car.height;
  painter.fill(box(x, y, rx + 0.6, ry + 0.6, 0.8), [22, 22, 24]);
  painter.fill(box(x, y, rx, ry, 0.6), [226, 227, 224]);
  painter.fill(box(x - rx + 1.4, y, 1.4, ry), [26, 52, 140]);
  for (let i = 0; i < 7; i++) {
    if ((car.plate >> i) % 5 === 0) continue;
    painter.fill(box(x - rx + 5.2 + i * ((2 * rx - 7) / 7), y, 1.05, ry * 0.62), [24, 24, 26], { alpha: 0.85 });
  }
}

function drawTop(car: Car): Picture {
  const { top } = CAR_REGIONS;
  const { shape } = car;
  const x = (s: number) => (s - 0.5) * top.width;
  const painter = new Picture(top.width, top.height, mix(car.paint, SKY, 0.09));
  const cowl = shape.cowl[0];
  painter.fill(area(x(cowl - 0.014), -26, x(cowl + 0.02), 26), [30, 31, 33]);
  for (const sign of [-1, 1]) {
    painter.fill(line([x(0.02), sign * 22], [x(cowl - 0.01), sign * 27], 0.4), SEAM, { alpha: 0.55 });
    painter.fill(line([x(0.05), sign * 10], [x(cowl - 0.02), sign * 14], 0.6), lit(car.paint, 0.9), { softness: 1.5 });
  }
  if (shape.bed) painter.fill(area(x(shape.bed[0]), -29, x(shape.bed[1]), 29), [46, 47, 48]);
  return painter;
}

function drawWheel(car: Car): Picture {
  const { wheel } = CAR_REGIONS;
  const radius = wheel.width / 2;
  const painter = new Picture(wheel.width, wheel.height, [24, 24, 25]);
  const rim = 0.66 * radius;
  painter.fill(disc(0, 0, 0.9 * radius), [30, 30, 31]);
  painter.fill(disc(0, 0, rim), [20, 20, 21]);
  const metal: Colour = car.steelWheels ? [128, 130, 133] : [172, 175, 178];
  if (car.steelWheels) {
    painter.fill(disc(0, 0, rim - 1), (px, py) =>
      lit(metal, 0.85 + (0.006 * (rim - Math.sqrt(px * px + py * py)) * 10) / 6),
    );
    for (let i = 0; i < 10; i++) {
      const angle = (TURN * i) / 10;
      painter.fill(disc(0.68 * rim * cos(angle), 0.68 * rim * sin(angle), 2.2), [26, 26, 27]);
    }
  } else {
    for (let i = 0; i < car.spokes; i++) {
      const angle = (TURN * i) / car.spokes;
      const end: Point = [0.95 * rim * cos(angle), 0.95 * rim * sin(angle)];
      painter.fill(line([0, 0], end, 17 / car.spokes), metal);
    }
    const ring: Shape = {
      distance: (px, py) => Math.abs(Math.sqrt(px * px + py * py) - 0.95 * rim) - 1.5,
      bounds: [-rim, -rim, rim, rim],
    };
    painter.fill(ring, metal);
  }
  painter.fill(disc(0, 0, 0.2 * rim), lit(metal, 0.9));
  painter.fill(disc(0, 0, 0.1 * rim), [70, 72, 74]);
  return painter;
}

/** Lower and upper edge of the head lights, m. */
function lampHeights({ shape, height, headLightHeight }: Car): readonly [number, number] {
  const high = shape.hood[0][1] * height - 0.005;
  return [high - 0.085 * Math.min(height, 1.6) * headLightHeight, high];
}

/** Lower and upper edge of the tail lights, m. */
function tailHeights({ name, shape, height, wideTailLights }: Car): readonly [number, number] {
  const last = shape.deck[shape.deck.length - 1][1] * height;
  if (name === 'van') return [0.36 * height, 0.54 * height];
  if (name === 'truck') return [0.2 * height, 0.24 * height];
  const tall = name === 'sedan' || wideTailLights ? 0.15 : 0.24;
  return [last - tall, last + 0.01];
}

/** The rectangle between two corners. */
function area(x0: number, y0: number, x1: number, y1: number): Shape {
  return box((x0 + x1) / 2, (y0 + y1) / 2, Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2);
}
