// Print what three.js (vox, glb) or the Khronos validator (validate) finds in a file.
// Usage: node read.mjs vox|glb|validate FILE
import { readFileSync } from "node:fs";

const [kind, path] = process.argv.slice(2);
const bytes = readFileSync(path);
const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);

if (kind === "validate") {
  const validator = (await import("gltf-validator")).default;
  const report = await validator.validateBytes(new Uint8Array(buffer));
  print(report.issues);
} else {
  globalThis.self = globalThis;
  const THREE = await import("three");
  if (kind === "vox") {
    const { VOXLoader } = await import("three/addons/loaders/VOXLoader.js");
    const { scene, chunks } = new VOXLoader().parse(buffer);
    const triangles = meshesOf(scene).flatMap((mesh) => trianglesOf(THREE, mesh));
    print({ triangles, models: chunks.length });
  } else {
    const { GLTFLoader } = await import("three/addons/loaders/GLTFLoader.js");
    // The picture's bytes are handed on as they are; the caller decodes them.
    let picture = null;
    globalThis.createImageBitmap = async (blob) => {
      picture = Buffer.from(await blob.arrayBuffer()).toString("base64");
      return { width: 1, height: 1 };
    };
    const { scene, asset } = await new GLTFLoader().parseAsync(buffer, "");
    scene.updateMatrixWorld(true);
    const meshes = meshesOf(scene);
    const { map, metalness, roughness, color } = meshes[0].material;
    print({
      triangles: meshes.flatMap((mesh) => trianglesOf(THREE, mesh)),
      picture,
      nearest:
        map.magFilter === THREE.NearestFilter && map.minFilter === THREE.NearestFilter,
      clamped:
        map.wrapS === THREE.ClampToEdgeWrapping &&
        map.wrapT === THREE.ClampToEdgeWrapping,
      srgb: map.colorSpace === THREE.SRGBColorSpace,
      white: color.getHex() === 0xffffff,
      metalness,
      roughness,
      asset,
    });
  }
}

function print(value) {
  process.stdout.write(JSON.stringify(value));
}

function meshesOf(scene) {
  const meshes = [];
  scene.updateMatrixWorld(true);
  scene.traverse((object) => object.isMesh && meshes.push(object));
  return meshes;
}

// Each triangle: three corners in the world, then color (sRGB bytes) or uv and normal.
function trianglesOf(THREE, mesh) {
  const { position, normal, color, uv } = mesh.geometry.attributes;
  const order = mesh.geometry.index;
  const count = order ? order.count : position.count;
  const found = [];
  for (let first = 0; first < count; first += 3) {
    const numbers = [0, 1, 2].map((k) => (order ? order.getX(first + k) : first + k));
    const triangle = {
      corners: numbers.map((k) =>
        new THREE.Vector3().fromBufferAttribute(position, k)
          .applyMatrix4(mesh.matrixWorld).toArray()),
    };
    if (normal) {
      triangle.normals = numbers.map((k) =>
        new THREE.Vector3().fromBufferAttribute(normal, k).toArray());
    }
    if (color) {
      const hex = new THREE.Color().fromBufferAttribute(color, numbers[0]).getHex();
      triangle.rgb = [hex >> 16, (hex >> 8) & 255, hex & 255];
    }
    if (uv) {
      triangle.uv = numbers.map((k) => [uv.getX(k), uv.getY(k)]);
    }
    found.push(triangle);
  }
  return found;
}
