"use strict";
// The script of a page: thresholds and least areas that can be moved, filters, a closer look at an image. It asks nobody for anything:
// scores and ground truth are the numbers of the colours of the PNG files that the page holds.

// What the numbers of the colours of a mask stand for, and the colours; those of `exhibits.rs` and `page.css`.
const GROUND = 0, FOUND = 1, MISSED = 2, FALSE_ALARM = 3, FLAGGED = 4, OUTSIDE = 5;
const COLOURS = [[24, 24, 24], [240, 240, 240], [213, 94, 0], [86, 180, 233], [240, 228, 66], [90, 90, 90]];

const all = (selector, within = document) => Array.from(within.querySelectorAll(selector));
const one = (selector, within = document) => within.querySelector(selector);

// ---- PNG files with numbers of colours ----

// The numbers of an `img` whose source is a PNG file of 8-bit colours, not interlaced.
async function numbers(img) {
  const bytes = Uint8Array.from(atob(img.src.split(",")[1]), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const parts = [];
  for (let at = 8; at < bytes.length; at += view.getUint32(at) + 12) {
    if (view.getUint32(at + 4) === 0x49444154) parts.push(bytes.subarray(at + 8, at + 8 + view.getUint32(at))); // IDAT
  }
  const inflated = new Blob(parts).stream().pipeThrough(new DecompressionStream("deflate"));
  const lines = new Uint8Array(await new Response(inflated).arrayBuffer());
  return { width, height, data: unfiltered(lines, width, height) };
}

// Undoes the filters of a PNG file of one byte a pixel (PNG specification, section 9).
function unfiltered(lines, width, height) {
  const data = new Uint8Array(width * height);
  const at = (x, y) => (x < 0 || y < 0 ? 0 : data[y * width + x]);
  for (let y = 0; y < height; y++) {
    const start = y * (width + 1), filter = lines[start];
    for (let x = 0; x < width; x++) {
      const left = at(x - 1, y), up = at(x, y - 1);
      const guess = [0, left, up, (left + up) >> 1, filter === 4 ? paeth(left, up, at(x - 1, y - 1)) : 0][filter];
      data[y * width + x] = lines[start + 1 + x] + guess;
    }
  }
  return data;
}

function paeth(left, up, corner) {
  const base = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(base - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

// ---- Regions ----

// The 8-connected regions of the pixels for which `inside` holds: a number from 1 for each pixel of one, and the area of each.
function regions({ width, height, data }, inside) {
  const labels = new Int32Array(data.length), areas = [0], stack = [];
  for (let seed = 0; seed < data.length; seed++) {
    if (labels[seed] !== 0 || !inside(data[seed])) continue;
    const label = areas.length;
    let area = 0;
    labels[seed] = label;
    stack.push(seed);
    while (stack.length > 0) {
      const pixel = stack.pop(), x = pixel % width, y = (pixel - x) / width;
      area++;
      for (let v = Math.max(y - 1, 0); v <= Math.min(y + 1, height - 1); v++) {
        for (let u = Math.max(x - 1, 0); u <= Math.min(x + 1, width - 1); u++) {
          const next = v * width + u;
          if (labels[next] === 0 && inside(data[next])) {
            labels[next] = label;
            stack.push(next);
          }
        }
      }
    }
    areas.push(area);
  }
  return { labels, areas };
}
