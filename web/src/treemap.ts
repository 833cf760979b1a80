// A squarified treemap: in, sizes; out, rectangles in percent of the whole, in the order of the sizes.

export interface Box {
  x: number
  y: number
  width: number
  height: number
}

/** Lays `sizes` (largest first, all above 0) out in a field whose width is `ratio` times its height. */
export function squarify(sizes: number[], ratio: number): Box[] {
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const boxes: Box[] = []
  // Areas add up to ratio × 1; percent at the end.
  const areas = sizes.map((size) => (size / total) * ratio)
  let x = 0, y = 0, width = ratio, height = 1
  let at = 0
  while (at < areas.length) {
    const side = Math.min(width, height)
    let end = at + 1
    let sum = areas[at]!
    while (end < areas.length && worst(areas, at, end + 1, sum + areas[end]!, side) <= worst(areas, at, end, sum, side))
      sum += areas[end++]!
    const thick = sum / side
    let along = 0
    for (let i = at; i < end; i++) {
      const long = areas[i]! / thick
      boxes.push(width >= height
        ? { x, y: y + along, width: thick, height: long }
        : { x: x + along, y, width: long, height: thick })
      along += long
    }
    if (width >= height) { x += thick; width -= thick } else { y += thick; height -= thick }
    at = end
  }
  return boxes.map((box) => ({ x: (box.x / ratio) * 100, y: box.y * 100, width: (box.width / ratio) * 100, height: box.height * 100 }))
}

function worst(areas: number[], from: number, end: number, sum: number, side: number): number {
  const most = areas[from]!
  const least = areas[end - 1]!
  return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least))
}
