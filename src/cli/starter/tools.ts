import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import { RandomStream } from '../../random.js';

/** Kinds of tools: the classes of the starter's task. */
export const TOOLS = ['hammer', 'screwdriver', 'wrench'] as const;
export type Tool = (typeof TOOLS)[number];

/** Side of a tool's picture at scale 1, px; the tool stands upright in it. */
export const TOOL_SIDE = 40;
/** Side of a tray's picture at scale 1, px. */
export const TRAY_SIDE = 64;

/** `attribute` of the random streams: what the numbers are for. */
const STREAM = { tool: 1, tray: 2 } as const;

const WOODS = ['#8a5a2b', '#a8713a', '#6f4a2a', '#b98a52'];
const PLASTICS = ['#c8352c', '#2f6fb5', '#e0a21b', '#3b8f4a', '#d9642a'];

/**
 * A tool seen from above, upright, on a transparent ground, with a soft shadow.
 * @param scale px of the picture for a px at scale 1
 */
export async function drawTool(tool: Tool, seed: number, scale: number): Promise<Canvas> {
  const { createCanvas } = await import('@napi-rs/canvas');
  const side = Math.round(TOOL_SIDE * scale);
  const canvas = createCanvas(side, side);
  const context = canvas.getContext('2d');
  const stream = new RandomStream({ seed, index: TOOLS.indexOf(tool), attribute: STREAM.tool });
  context.scale(scale, scale);
  context.shadowColor = 'rgba(0, 0, 0, 0.35)';
  context.shadowBlur = 2 * scale;
  context.shadowOffsetX = 0.8 * scale;
  context.shadowOffsetY = 0.8 * scale;
  DRAW[tool](context, stream);
  return canvas;
}

const DRAW: Readonly<Record<Tool, (context: SKRSContext2D, stream: RandomStream) => void>> = {
  hammer(context, stream) {
    const width = 4 + 1.5 * stream.uniform();
    fillBox(context, 20 - width / 2, 9, width, 29, 2, pick(WOODS, stream));
    const steel = steelOf(context, stream, 8, 32);
    // Head to the left, claw to the right.
    fillBox(context, 8, 4, 16, 8, 1.5, steel);
    context.beginPath();
    context.moveTo(23, 4);
    context.quadraticCurveTo(30, 4.5, 33, 11 + stream.uniform());
    context.quadraticCurveTo(28, 8.5, 23, 10);
    context.fillStyle = steel;
    context.fill();
  },
  screwdriver(context, stream) {
    const steel = steelOf(context, stream, 18, 22);
    fillBox(context, 18.6, 5, 2.8, 18, 0.6, steel);
    fillBox(context, 17.4, 3, 5.2, 3.6, 0.6, steel);
    const width = 8.5 + 2 * stream.uniform();
    fillBox(context, 20 - width / 2, 21, width, 17, 3.5, pick(PLASTICS, stream));
    context.shadowColor = 'transparent';
    for (const x of [-0.25, 0, 0.25]) fillBox(context, 20 + x * width - 0.4, 24, 0.8, 11, 0.4, 'rgba(0, 0, 0, 0.35)');
  },
  wrench(context, stream) {
    const width = 4.5 + stream.uniform();
    const steel = steelOf(context, stream, 12, 28);
    fillBox(context, 20 - width / 2, 12, width, 20, 1, steel);
    context.fillStyle = steel;
    // An open jaw at the top, a ring at the bottom.
    context.beginPath();
    context.arc(20, 10, 7.5, 0, 2 * Math.PI);
    context.arc(20, 33, 5, 0, 2 * Math.PI);
    context.fill();
    context.globalCompositeOperation = 'destination-out';
    context.shadowColor = 'transparent';
    fillBox(context, 16.8, 0, 6.4, 10.5, 1, '#000');
    context.beginPath();
    context.arc(20, 33, 2.3, 0, 2 * Math.PI);
    context.fill();
    context.globalCompositeOperation = 'source-over';
  },
};

/** Rubber mat with a fine grid of studs, in one of a few dull colours. @param scale px for a px at scale 1 */
export async function drawTray(seed: number, scale: number): Promise<Canvas> {
  const { createCanvas } = await import('@napi-rs/canvas');
  const side = Math.round(TRAY_SIDE * scale);
  const canvas = createCanvas(side, side);
  const context = canvas.getContext('2d');
  const stream = new RandomStream({ seed, index: 0, attribute: STREAM.tray });
  const base = 42 + 16 * stream.uniform();
  const [red, blue] = [base - 6 + 8 * stream.uniform(), base + 14 * stream.uniform()];
  context.scale(scale, scale);
  context.fillStyle = `rgb(${red.toFixed(0)}, ${base.toFixed(0)}, ${blue.toFixed(0)})`;
  context.fillRect(0, 0, TRAY_SIDE, TRAY_SIDE);
  for (let y = 2; y < TRAY_SIDE; y += 4) {
    for (let x = (y / 2) % 4; x < TRAY_SIDE; x += 4) {
      context.fillStyle = `rgba(255, 255, 255, ${(0.03 + 0.05 * stream.uniform()).toFixed(3)})`;
      context.beginPath();
      context.arc(x, y, 1, 0, 2 * Math.PI);
      context.fill();
    }
  }
  return canvas;
}

/** Bright in the middle, darker towards both sides. */
function steelOf(context: SKRSContext2D, stream: RandomStream, left: number, right: number) {
  const level = 165 + Math.round(40 * stream.uniform());
  const grey = (factor: number) => {
    const value = Math.round(level * factor);
    return `rgb(${value}, ${value}, ${Math.min(255, value + 6)})`;
  };
  const gradient = context.createLinearGradient(left, 0, right, 0);
  gradient.addColorStop(0, grey(0.75));
  gradient.addColorStop(0.4, grey(1.15));
  gradient.addColorStop(1, grey(0.7));
  return gradient;
}

function fillBox(
  context: SKRSContext2D,
  x: number,
  y: number,
  width: number,
  height: number,
  radius: number,
  style: SKRSContext2D['fillStyle'],
): void {
  context.fillStyle = style;
  context.beginPath();
  context.roundRect(x, y, width, height, radius);
  context.fill();
}

function pick<T>(values: readonly T[], stream: RandomStream): T {
  return values[stream.integer(values.length)];
}
