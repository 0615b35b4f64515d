"use strict";
// A frame as shaded spheres, one point of WebGL each; turned, moved and zoomed by OGL's Orbit.
(() => {
  const source = document.getElementById("frame-data");
  if (!source) return;
  const frame = JSON.parse(source.textContent);
  const canvas = document.getElementById("view");
  const colouring = document.getElementById("colouring");
  const least = document.getElementById("least");
  const leastValue = document.getElementById("least-value");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const UNKNOWN = 255, LEVELS = 254;

  if (!canvas.getContext("webgl2")) {
    document.getElementById("view-trouble").hidden = false;
    canvas.hidden = true;
    return;
  }

  const count = frame.particles;
  const lattice = frame.lattice;
  const fraction = new Uint16Array(bytes(frame.position).buffer);
  const position = new Float32Array(3 * count);
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 3; k++) {
      for (let edge = 0; edge < 3; edge++) {
        position[3 * i + k] += (fraction[3 * i + edge] / 65535 - 0.5) * lattice[edge][k];
      }
    }
  }
  const species = bytes(frame.species);
  const palette = bytes(frame.palette);
  const values = frame.quantities.map((quantity) => bytes(quantity.values));
  const color = new Float32Array(3 * count);
  const radius = new Float32Array(count);

  const renderer = new ogl.Renderer({ canvas, dpr: Math.min(2, window.devicePixelRatio), alpha: true });
  const gl = renderer.gl;
  const size = Math.max(...lattice.map((edge) => Math.hypot(...edge)));
  const camera = new ogl.Camera(gl, { fov: 30, near: size / 20, far: 20 * size });
  camera.position.set(1.3 * size, 1.0 * size, 2.6 * size);
  camera.lookAt([0, 0, 0]);
  const orbit = new ogl.Orbit(camera, {
    element: canvas, minDistance: size / 3, maxDistance: 8 * size, rotateSpeed: 0.2, inertia: 0.6,
  });

  const height = { value: 1 };
  const spheres = new ogl.Geometry(gl, {
    position: { size: 3, data: position },
    color: { size: 3, data: color },
    radius: { size: 1, data: radius },
  });
  const program = new ogl.Program(gl, {
    uniforms: { height },
    vertex: `#version 300 es
      in vec3 position; in vec3 color; in float radius;
      uniform mat4 modelViewMatrix, projectionMatrix; uniform float height;
      out vec3 shade; out vec3 centre; out float size;
      void main() {
        vec4 at = modelViewMatrix * vec4(position, 1.0);
        shade = color; centre = at.xyz; size = radius;
        gl_Position = projectionMatrix * at;
        gl_PointSize = height * projectionMatrix[1][1] * radius / gl_Position.w;
      }`,
    fragment: `#version 300 es
      precision highp float;
      uniform mat4 projectionMatrix;
      in vec3 shade; in vec3 centre; in float size;
      out vec4 result;
      void main() {
        vec2 p = 2.0 * gl_PointCoord - 1.0;
        float square = dot(p, p);
        if (square > 1.0 || size == 0.0) discard;
        vec3 normal = vec3(p.x, -p.y, sqrt(1.0 - square));
        vec4 at = projectionMatrix * vec4(centre + size * normal, 1.0);
        gl_FragDepth = 0.5 * at.z / at.w + 0.5;
        float light = 0.4 + 0.6 * max(0.0, dot(normal, normalize(vec3(0.4, 0.6, 0.8))));
        result = vec4(light * shade, 1.0);
      }`,
  });
  const scene = new ogl.Transform();
  new ogl.Mesh(gl, { mode: gl.POINTS, geometry: spheres, program }).setParent(scene);
  edges().setParent(scene);

  function edges() {
    const ends = [];
    const corner = (a, b, c) => [0, 1, 2].map((k) =>
      (a - 0.5) * lattice[0][k] + (b - 0.5) * lattice[1][k] + (c - 0.5) * lattice[2][k]);
    for (const [a, b] of [[0, 0], [0, 1], [1, 0], [1, 1]]) {
      ends.push(corner(0, a, b), corner(1, a, b), corner(a, 0, b), corner(a, 1, b),
                corner(a, b, 0), corner(a, b, 1));
    }
    const geometry = new ogl.Geometry(gl, { position: { size: 3, data: new Float32Array(ends.flat()) } });
    const line = new ogl.Program(gl, {
      vertex: `#version 300 es
        in vec3 position; uniform mat4 modelViewMatrix, projectionMatrix;
        void main() { gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0); }`,
      fragment: `#version 300 es
        precision highp float; out vec4 result;
        void main() { result = vec4(0.5, 0.5, 0.5, 1.0); }`,
    });
    return new ogl.Mesh(gl, { mode: gl.LINES, geometry, program: line });
  }

  // Levels are rounded: the lowest value that is shown is half a level below the slider's.
  function told(quantity, level) {
    if (!quantity.scaled) return "";
    if (level === 0) return "nothing is hidden";
    const [low, high] = quantity.range;
    const at = low + (high - low) * (level - 0.5) / LEVELS;
    const value = (quantity.logarithmic ? 10 ** at : at).toPrecision(2);
    return [quantity.name, "=", value, quantity.unit].filter(Boolean).join(" ");
  }

  function paint() {
    const at = Number(colouring.value);
    const quantity = frame.quantities[at];
    const from = quantity.scaled ? Number(least.value) : 0;
    for (let i = 0; i < count; i++) {
      const value = values[at][i];
      const known = value !== UNKNOWN;
      for (let k = 0; k < 3; k++) color[3 * i + k] = known ? palette[3 * value + k] / 255 : 0.62;
      const shown = from === 0 || (known && value >= from);
      radius[i] = shown ? frame.radii[species[i] - 1] : 0;
    }
    spheres.attributes.color.needsUpdate = spheres.attributes.radius.needsUpdate = true;
    document.getElementById("scale").hidden = !quantity.scaled;
    document.getElementById("scale-from").textContent = quantity.from;
    document.getElementById("scale-to").textContent = [quantity.to, quantity.unit].filter(Boolean).join(" ");
    leastValue.textContent = told(quantity, from);
    least.setAttribute("aria-valuetext", leastValue.textContent);
    least.disabled = !quantity.scaled;
    seen = null;
  }

  const stops = Array.from({ length: 9 }, (_, at) => palette.slice(3 * Math.min(LEVELS, 32 * at)).slice(0, 3));
  document.querySelector("#scale i").style.background =
    `linear-gradient(to right, ${stops.map((stop) => `rgb(${stop.join()})`).join()})`;

  let seen = null;
  function resize() {
    renderer.setSize(canvas.parentElement.clientWidth, Math.min(560, 0.8 * window.innerHeight));
    camera.perspective({ aspect: gl.canvas.width / gl.canvas.height });
    height.value = gl.canvas.height;
    seen = null;
  }
  function draw() {
    requestAnimationFrame(draw);
    orbit.update();
    camera.updateMatrixWorld();
    const now = [...camera.worldMatrix, scene.rotation.x, scene.rotation.y].join();
    if (now === seen) return;
    seen = now;
    renderer.render({ scene, camera });
  }
  canvas.addEventListener("keydown", (event) => {
    const turn = { ArrowLeft: ["y", -0.1], ArrowRight: ["y", 0.1], ArrowUp: ["x", -0.1], ArrowDown: ["x", 0.1] };
    if (!(event.key in turn)) return;
    const [axis, by] = turn[event.key];
    scene.rotation[axis] += by;
    event.preventDefault();
  });
  colouring.addEventListener("change", paint);
  least.addEventListener("input", paint);
  window.addEventListener("resize", resize);
  resize();
  paint();
  draw();
})();
