import type { Draw } from '../aerial/draw.js';
import { Noise } from '../aerial/noise.js';
import { type Colour, lit, mix } from '../aerial/painter.js';
import { box, line, type Point, type Shape } from '../aerial/shapes.js';
import type { Region } from './atlas.js';
import { Picture } from './picture.js';

/** How the windows, walls and shutters of a building look. */
export interface FacadeStyle {
  readonly wall: Colour;
  readonly base: Colour;
  readonly frame: Colour;
  readonly shutters?: Colour;
  readonly surround?: Colour;
  readonly brick: boolean;
  readonly window: readonly [width: number, height: number];
  readonly door: Colour;
}

/** What is drawn on one wall, in m: x from its middle, heights from the ground. */
export interface FacadePlan {
  readonly width: number;
  /** Of the picture: to the ridge where the wall has a gable. */
  readonly height: number;
  readonly eaves: number;
  readonly storeys: number;
  readonly storeyHeight: number;
  readonly bays: number;
  readonly gable: boolean;
  /** Bay of the door, −1 without one. */
  readonly door: number;
  readonly shops: boolean;
  /** No windows at all: a wall towards neighbours. */
  readonly blind: boolean;
}

const PLASTERS: readonly (readonly [weight: number, colour: Colour])[] = [
  [8, [224, 222, 216]],
  [6, [216, 210, 196]],
  [4, [222, 210, 178]],
  [3, [198, 192, 182]],
  [2, [212, 190, 160]],
  [2, [192, 196, 196]],
  [1, [196, 164, 146]],
];
const BRICKS: readonly Colour[] = [
  [136, 94, 80],
  [122, 84, 72],
  [160, 132, 108],
];
const SHUTTERS: readonly Colour[] = [
  [58, 82, 62],
  [96, 66, 46],
  [104, 40, 38],
  [76, 88, 104],
];
const CURTAIN: Colour = [196, 196, 190];

export function drawFacadeStyle(draw: Draw, urban: boolean): FacadeStyle {
  const brick = draw.chance(urban ? 0.15 : 0.18);
  const wall = brick ? draw.pick(BRICKS) : lit(draw.weighted(PLASTERS), draw.between(0.9, 1.04));
  return {
    wall,
    brick,
    base: mix(wall, [110, 106, 100], 0.65),
    frame: draw.chance(0.75) ? [226, 226, 222] : [96, 72, 54],
    shutters: draw.chance(urban ? 0.3 : 0.4) ? draw.pick(SHUTTERS) : undefined,
    surround: draw.chance(0.35) ? mix(wall, [150, 110, 90], 0.4) : undefined,
    window: urban
      ? [draw.between(1, 1.25), draw.between(1.5, 1.85)]
      : [draw.between(0.95, 1.5), draw.between(1.15, 1.4)],
    door: draw.pick([
      [86, 60, 44],
      [200, 198, 192],
      [60, 66, 72],
      [70, 86, 70],
    ] as const),
  };
}

/** A wall as it is seen from the street. */
export function drawFacade(draw: Draw, region: Region, plan: FacadePlan, style: FacadeStyle): Picture {
  const { width, height, eaves, storeys, storeyHeight, bays } = plan;
  const sx = region.width / width;
  const sy = region.height / height;
  const x = (m: number) => m * sx;
  const y = (h: number) => region.height / 2 - h * sy;
  const painter = drawWall(draw, region, plan, style);
  if (plan.blind) return painter;
  const rect = (cx: number, bottom: number, w: number, h: number): Shape =>
    box(x(cx), (y(bottom) + y(bottom + h)) / 2, (w * sx) / 2, (h * sy) / 2);
  const [windowWidth, windowHeight] = style.window;
  const bayWidth = width / bays;
  for (let storey = 0; storey < storeys; storey++) {
    const sill = storey * storeyHeight + (storey === 0 ? 0.95 : 0.85);
    for (let bay = 0; bay < bays; bay++) {
      const cx = (bay + 0.5 - bays / 2) * bayWidth;
      if (storey === 0 && plan.shops) {
        drawShop(painter, draw, rect, cx, bayWidth, storeyHeight, bay === plan.door, style);
        continue;
      }
      if (storey === 0 && bay === plan.door) drawDoor(painter, rect, cx, style);
      else if (sill + windowHeight < eaves)
        drawWindow(painter, draw, rect, cx, sill, Math.min(windowWidth, bayWidth - 0.5), windowHeight, style);
    }
  }
  if (plan.gable && height - eaves > 2.2) {
    const space = height - eaves;
    const pair = width > 8.5 ? [-1.1, 1.1] : [0];
    for (const cx of pair)
      drawWindow(
        painter,
        draw,
        rect,
        cx,
        eaves + 0.15 * space,
        0.9 * Math.min(1.1, windowWidth),
        Math.min(1.2, 0.4 * space),
        style,
      );
  }
  return painter;
}

/** Plaster or bricks, dirt under the eaves and above the ground, the plinth, shop signs. */
function drawWall(draw: Draw, region: Region, plan: FacadePlan, style: FacadeStyle): Picture {
  const { height, width, storeyHeight } = plan;
  const broad = new Noise(draw.stream, 40, 16, 16);
  const streaks = new Noise(draw.stream, 6, 96, 8);
  const bricks = new Noise(draw.stream, 1, 64, 64);
  const [meterX, meterY] = [width / region.width, height / region.height];
  return new Picture(region.width, region.height, (px, py) => {
    const h = (region.height / 2 - py) * meterY;
    const plinth = h < 0.45;
    const colour = plinth ? style.base : style.wall;
    let light = 1 + 0.07 * (broad.at(px + 500, py + 500) - 0.5) + 0.05 * (streaks.at(px + 500, (py + 500) / 12) - 0.5);
    if (style.brick && !plinth) {
      // Courses three bricks high, as finer ones would flicker from afar.
      const course = Math.floor(h / 0.225);
      const brick = Math.floor((px * meterX) / 0.5 + (course % 2) * 0.5);
      light *= 0.93 + 0.14 * bricks.at(brick + 300.5, course + 0.5);
    }
    if (plan.shops && Math.abs(h - storeyHeight) < 0.12) light *= 0.8;
    return lit(colour, light * (0.86 + 0.14 * Math.min(1, h / 1.2)));
  });
}

type Rect = (cx: number, bottom: number, width: number, height: number) => Shape;

function drawWindow(
  painter: Picture,
  draw: Draw,
  rect: Rect,
  cx: number,
  sill: number,
  w: number,
  h: number,
  style: FacadeStyle,
): void {
  const closed = draw.chance(0.08);
  if (style.surround) painter.fill(rect(cx, sill - 0.12, w + 0.34, h + 0.28), style.surround);
  if (style.shutters) {
    for (const side of [-1, 1]) {
      painter.fill(rect(cx + side * (0.75 * w + 0.03), sill, 0.5 * w, h), (_, py) =>
        lit(style.shutters as Colour, Math.floor(py / 1.5) % 2 ? 0.9 : 1.06),
      );
    }
  }
  painter.fill(rect(cx, sill - 0.04, w + 0.1, h + 0.1), lit(style.wall, 0.62));
  painter.fill(rect(cx, sill, w, h), style.frame);
  const pane = rect(cx, sill + 0.06, w - 0.14, h - 0.13);
  if (closed) {
    painter.fill(pane, (_, py) => lit([178, 174, 164], Math.floor(py / 1.5) % 2 ? 0.92 : 1));
  } else {
    drawGlass(painter, draw, pane);
    if (draw.chance(0.55)) {
      const drawn = draw.between(0.2, 0.4);
      for (const side of [-1, 1]) {
        painter.fill(
          rect(cx + side * (w / 2 - 0.07 - (drawn * w) / 4), sill + 0.06, (drawn * w) / 2, h - 0.13),
          CURTAIN,
          { alpha: 0.45 },
        );
      }
    }
    if (w > 0.8) painter.fill(rect(cx, sill, 0.09, h), style.frame);
  }
  painter.fill(rect(cx, sill - 0.09, w + 0.24, 0.09), lit(mix(style.wall, [190, 188, 182], 0.5), 0.95));
  painter.fill(rect(cx, sill - 0.17, w + 0.2, 0.08), lit(style.wall, 0.75));
}

/** Dark panes that mirror the sky above and the houses opposite below. */
function drawGlass(painter: Picture, draw: Draw, pane: Shape): void {
  const [left, top, right, bottom] = pane.bounds;
  const sky = draw.between(0.05, 0.5);
  const slope = draw.between(-0.25, 0.25);
  painter.fill(pane, (px, py) => {
    const up = (bottom - py) / (bottom - top) + slope * ((px - left) / (right - left) - 0.5);
    return mix([30, 34, 38], [112, 130, 146], sky * Math.max(0, Math.min(1, 1.8 * up - 0.5)));
  });
}

function drawDoor(painter: Picture, rect: Rect, cx: number, style: FacadeStyle): void {
  painter.fill(rect(cx, 0.1, 1.35, 2.3), lit(style.wall, 0.7));
  painter.fill(rect(cx, 0.12, 1.15, 2.18), style.door);
  painter.fill(rect(cx, 1.1, 0.5, 0.95), [52, 58, 62]);
  painter.fill(rect(cx, 0.3, 0.8, 0.6), lit(style.door, 0.85));
  painter.fill(rect(cx, 0, 1.7, 0.14), [128, 124, 118]);
}

/** A shop window with its sign, or the entrance. */
function drawShop(
  painter: Picture,
  draw: Draw,
  rect: Rect,
  cx: number,
  bay: number,
  storey: number,
  door: boolean,
  style: FacadeStyle,
): void {
  if (door) {
    drawDoor(painter, rect, cx, style);
    return;
  }
  const w = bay - 0.55;
  painter.fill(rect(cx, 0.4, w + 0.12, storey - 1.25), [52, 52, 54]);
  drawGlass(painter, draw, rect(cx, 0.5, w, storey - 1.4));
  const panes = Math.max(1, Math.round(w / 1.3));
  for (let i = 1; i < panes; i++) painter.fill(rect(cx + (i / panes - 0.5) * w, 0.5, 0.07, storey - 1.4), [70, 70, 72]);
  painter.fill(rect(cx, storey - 1.5, w, 0.07), [70, 70, 72]);
  painter.fill(
    rect(cx, 0.5, w, 0.5),
    draw.pick([
      [150, 60, 50],
      [70, 90, 120],
      [160, 140, 90],
      [90, 90, 90],
    ] as const),
    { alpha: 0.35 },
  );
  if (draw.chance(0.6)) {
    const sign = draw.pick([
      [172, 38, 34],
      [34, 62, 120],
      [214, 178, 60],
      [44, 84, 56],
      [70, 70, 74],
    ] as const);
    painter.fill(rect(cx, storey - 0.78, w + 0.2, 0.5), sign);
    const letters = 3 + draw.stream.integer(5);
    for (let i = 0; i < letters; i++) {
      painter.fill(
        rect(cx + ((i + 0.5 - letters / 2) * (0.8 * w)) / 8, storey - 0.66, 0.055 * w, 0.26),
        [232, 230, 224],
      );
    }
  }
}

const ROOFS: readonly (readonly [weight: number, colour: Colour])[] = [
  [5, [132, 84, 70]],
  [4, [112, 74, 64]],
  [3, [98, 82, 74]],
  [3, [84, 84, 86]],
  [1, [66, 70, 76]],
];

/** Roof tiles in rows; u along the ridge, v down the slope. */
export function drawRoof(draw: Draw, region: Region, slope: number): Picture {
  const colour = draw.weighted(ROOFS);
  const broad = new Noise(draw.stream, 32, 16, 16);
  const tiles = new Noise(draw.stream, 1, 64, 64);
  const rows = slope / 0.36;
  return new Picture(region.width, region.height, (px, py) => {
    const down = (py / region.height + 0.5) * rows;
    const row = Math.floor(down);
    const within = down - row;
    const tile = tiles.at(Math.floor(px / 4) + 200.5, row + 0.5);
    return lit(
      colour,
      (within < 0.22 ? 0.78 : 0.96 + 0.1 * within) * (0.93 + 0.14 * tile) * (0.9 + 0.2 * broad.at(px + 300, py + 300)),
    );
  });
}

/** A garage door in a plain wall. */
export function drawGarage(region: Region, style: FacadeStyle, colour: Colour): Picture {
  const [w, h] = [region.width, region.height];
  const painter = new Picture(w, h, (_, py) => lit(style.wall, py > 0.4 * h ? 0.85 : 0.97));
  painter.fill(box(0, 0.1 * h, 0.4 * w, 0.4 * h), lit(style.wall, 0.6));
  painter.fill(box(0, 0.11 * h, 0.38 * w, 0.385 * h), (px) =>
    lit(colour, Math.floor((px + 200) / 3) % 2 ? 0.92 : 1.02),
  );
  painter.fill(line([-0.06 * w, 0.2 * h] as Point, [0.06 * w, 0.2 * h] as Point, 0.8), [60, 60, 62]);
  return painter;
}

/** The front of a dormer: a window in a triangle or box of wall. */
export function drawDormer(draw: Draw, region: Region, style: FacadeStyle): Picture {
  const [w, h] = [region.width, region.height];
  const painter = new Picture(w, h, lit(style.wall, 0.95));
  painter.fill(box(0, 0.1 * h, 0.32 * w, 0.3 * h), style.frame);
  for (const side of [-1, 1]) drawGlass(painter, draw, box(side * 0.15 * w, 0.1 * h, 0.12 * w, 0.25 * h));
  return painter;
}
