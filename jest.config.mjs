// Tests run on the sources as they are: swc strips the types, Node's own ES modules load them.
import { join } from 'node:path';

// The threads of the stores strip types by themselves otherwise, each with its own WebAssembly; many of those one after another have crashed V8.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, '.cache', 'compiled');

export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { module: { type: 'es6' }, jsc: { target: 'es2024', parser: { syntax: 'typescript' } } },
    ],
  },
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  modulePathIgnorePatterns: ['<rootDir>/.cache', '<rootDir>/data'],
  testTimeout: 30_000,
};
