// How large letters are to who stands away from a screen. ISO 9241-303 asks for capitals of 16 minutes of arc at least, and recommends 20
// to 22: at 3 m these are 14 mm, and 17.5 to 19 mm.

/** Of 55 inches, 16 by 9; what fills it is as large on it whatever its pixels. */
const SCREEN_MM = 1218;

/** What a capital of this text fills of the sight. A Chinese character of the same text fills more. */
export async function arcMinutes(page, selector, metres) {
  const [letter, screen] = await page.$eval(selector, (node) => {
    const { fontWeight, fontSize, fontFamily } = getComputedStyle(node);
    const drawing = document.createElement('canvas').getContext('2d');
    drawing.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    return [drawing.measureText('H').actualBoundingBoxAscent, innerWidth];
  });
  const radians = 2 * Math.atan((letter / screen) * (SCREEN_MM / 1_000 / metres / 2));
  return (radians * 180 * 60) / Math.PI;
}
