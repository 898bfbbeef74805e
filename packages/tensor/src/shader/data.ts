/** TypeGPU's types that our shaders use; see std.ts for why not all of them. */
export {
  bool,
  type F32,
  f32,
  i32,
  type U32,
  u32,
  type Vec2f,
  type Vec2u,
  type Vec4u,
  vec2f,
  vec2u,
  vec4u,
} from 'typegpu/data';
