import { afterEach, expect, it, type TestContext, vi } from 'vitest';
import { requireCapability } from './capability.js';

afterEach(() => vi.unstubAllEnvs());

const context = () => ({ skip: vi.fn() }) as unknown as TestContext & { skip: ReturnType<typeof vi.fn> };

it('continues if the capability is there', () => {
  const test = context();
  requireCapability(test, 'f16', true, '');
  expect(test.skip).not.toHaveBeenCalled();
});

it('skips with the reason', () => {
  vi.stubEnv('PARIS_REQUIRE', 'chromium');
  const test = context();
  requireCapability(test, 'f16', false, 'the adapter has no shader-f16');
  expect(test.skip).toHaveBeenCalledWith('f16: the adapter has no shader-f16');
});

it('fails where PARIS_REQUIRE names it', () => {
  vi.stubEnv('PARIS_REQUIRE', 'f16, chromium');
  expect(() => requireCapability(context(), 'f16', false, 'the adapter has no shader-f16')).toThrow(
    '[test] PARIS_REQUIRE names f16, but the adapter has no shader-f16.',
  );
});
