// Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0
//
// Whether WebGL draws by a graphics card. Where the processor computes it, as in virtual machines and
// remote desktops, xterm.js draws several times faster with the document, and a key's echo is as much
// sooner. Browsers do not count that as a "major performance caveat", so the name has to tell.

// Chromium's and Mesa's, and that of Windows.
const SOFTWARE = /swiftshader|llvmpipe|softpipe|lavapipe|basic render|software/i;

let known: boolean | undefined;

export function hasHardwareWebgl(): boolean {
  known ??= probe(document.createElement('canvas'));
  return known;
}

// Exported for tests.
export function probe(canvas: Pick<HTMLCanvasElement, 'getContext'>): boolean {
  const context = canvas.getContext('webgl2', {
    failIfMajorPerformanceCaveat: true,
  }) as WebGL2RenderingContext | null;
  if (!context) return false;
  // Firefox tells it as RENDERER, and warns of the extension; elsewhere that says nothing.
  const plain = String(context.getParameter(context.RENDERER));
  const extension = context.getExtension('WEBGL_debug_renderer_info');
  const name = extension ? String(context.getParameter(extension.UNMASKED_RENDERER_WEBGL)) : '';
  // Browsers allow a page few contexts.
  context.getExtension('WEBGL_lose_context')?.loseContext();
  return !SOFTWARE.test(`${plain} ${name}`);
}
