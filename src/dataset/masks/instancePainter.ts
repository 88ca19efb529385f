import { PolygonRasteriser } from './polygonMask.js';
import { visitRunLengths } from './rle.js';

/** What became of an object's mask. */
export interface PaintedMask {
  /** Its area, px. */
  readonly pixels: number;
  /** The smallest box that holds it: [left, top, width, height], px; null for an empty mask. */
  readonly box: readonly [number, number, number, number] | null;
}

/** Builds the masks of an image from those of its objects. */
export class InstancePainter {
  readonly width: number;
  readonly height: number;
  /** [H, W] id of the object that was painted last at a pixel, 0 for none. */
  readonly instances: Uint16Array;
  /** [H, W] class + 1 of that object. */
  readonly classes: Uint8Array;
  #rasteriser: PolygonRasteriser | undefined;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.instances = new Uint16Array(width * height);
    this.classes = new Uint8Array(width * height);
  }

  /** Paints run lengths that fit the image, over what is there. @param classId position of the class */
  runLengths(counts: readonly number[], id: number, classId: number): PaintedMask {
    return this.#paint(id, classId, (visit) => visitRunLengths(counts, this.height, visit));
  }

  /** Paints the union of polygons, over what is there. @param polygons x and y of the vertices in turn, px */
  polygons(polygons: readonly (readonly number[])[], id: number, classId: number): PaintedMask {
    const rasteriser = (this.#rasteriser ??= new PolygonRasteriser(this.width, this.height));
    return this.#paint(id, classId, (visit) => {
      for (const points of polygons) rasteriser.visit(points, visit);
    });
  }

  #paint(
    id: number,
    classId: number,
    visitAll: (visit: (column: number, top: number, bottom: number) => void) => void,
  ): PaintedMask {
    const { width, height, instances, classes } = this;
    let pixels = 0;
    let [left, right, first, last] = [width, -1, height, -1];
    visitAll((column, top, bottom) => {
      left = Math.min(left, column);
      right = Math.max(right, column);
      first = Math.min(first, top);
      last = Math.max(last, bottom - 1);
      for (let y = top, i = top * width + column; y < bottom; y++, i += width) {
        // Polygons of one object may overlap: a pixel counts once.
        if (instances[i] === id) continue;
        pixels++;
        instances[i] = id;
        classes[i] = classId + 1;
      }
    });
    return { pixels, box: right < left ? null : [left, first, right - left + 1, last - first + 1] };
  }
}
