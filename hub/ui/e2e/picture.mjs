// A made-up plan of a school, drawn by the browser that is at hand.

/** A PNG of this size. */
export async function drawnPlan(page, width = 1600, height = 1000) {
  const address = await page.evaluate(
    ([w, h]) => {
      const canvas = document.createElement('canvas');
      [canvas.width, canvas.height] = [w, h];
      const pen = canvas.getContext('2d');
      const box = (x, y, width, height, fill, name) => {
        pen.fillStyle = fill;
        pen.fillRect(x * w, y * h, width * w, height * h);
        pen.strokeRect(x * w, y * h, width * w, height * h);
        pen.fillStyle = '#5a6670';
        pen.fillText(name, (x + width / 2) * w, (y + height / 2) * h);
      };
      pen.fillStyle = '#ffffff';
      pen.fillRect(0, 0, w, h);
      pen.font = `${h / 34}px "Noto Sans CJK SC", sans-serif`;
      pen.textAlign = 'center';
      pen.lineWidth = w / 500;
      pen.strokeStyle = '#8b98a3';
      box(0.03, 0.05, 0.94, 0.9, '#f4f6f2', '');
      box(0.1, 0.14, 0.34, 0.18, '#e3e8ec', '教学楼 A');
      box(0.1, 0.42, 0.12, 0.42, '#e3e8ec', '教学楼 B');
      box(0.54, 0.12, 0.3, 0.2, '#e3e8ec', '体育馆');
      box(0.3, 0.42, 0.36, 0.42, '#dfead9', '操场');
      box(0.74, 0.46, 0.13, 0.16, '#e9e3d8', '食堂');
      pen.setLineDash([w / 120, w / 160]);
      pen.strokeRect(0.33 * w, 0.47 * h, 0.3 * w, 0.32 * h);
      pen.setLineDash([]);
      pen.fillStyle = '#c9d2d9';
      pen.fillRect(0.94 * w, 0.66 * h, 0.06 * w, 0.12 * h);
      return canvas.toDataURL('image/png');
    },
    [width, height],
  );
  return Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
}
