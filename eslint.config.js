// @ts-check
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { relative, sep } from 'node:path';
import tseslint from 'typescript-eslint';
import { refusal, sandbox } from './architecture.js';

/**
 * Imports point one way: the table in architecture.js, shown in the editor.
 * @type {import('eslint').Rule.RuleModule}
 */
const imports = {
  meta: { type: 'problem', schema: [], messages: { refused: '{{reason}} See architecture.js.' } },
  create(context) {
    const from = relative(context.cwd, context.filename).split(sep).join('/');
    /** @param {import('estree').Node} node @param {unknown} source @param {boolean} typeOnly */
    const check = (node, source, typeOnly) => {
      const specifier = /** @type {{ value?: unknown } | null | undefined} */ (source)?.value;
      const reason = typeof specifier === 'string' && refusal({ from, specifier, typeOnly });
      if (reason) context.report({ node, messageId: 'refused', data: { reason } });
    };
    /** @param {any} node */
    const declaration = (node) => check(node, node.source, (node.importKind ?? node.exportKind) === 'type');
    return {
      ImportDeclaration: declaration,
      ExportNamedDeclaration: declaration,
      ExportAllDeclaration: declaration,
      ImportExpression: (node) => check(node, node.source, false),
      /** @param {any} node */
      TSImportType: (node) => check(node, node.source, true),
      /** @param {any} node */
      TSImportEqualsDeclaration: (node) => check(node, node.moduleReference.expression, node.importKind === 'type'),
    };
  },
};

const readsEnvironment = { object: 'process', property: 'env', message: 'src/config.ts is the only reader of the environment.' };
const clock = { object: 'Date', property: 'now', message: 'Time comes from the workflow that calls, or from an activity.' };
const dice = { object: 'Math', property: 'random', message: "Randomness comes from Temporal's uuid4, or from an activity." };

export default defineConfig(
  globalIgnores(['dist/', 'node_modules/', '.ostinato/', '**/fixtures/', '**/histories/']),
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' }],
      // `interface X extends Y {}` gives a type a name of its own, which is what a reader of an error sees.
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**/*.ts'],
    plugins: { house: { rules: { imports } } },
    rules: {
      'house/imports': 'error',
      'no-restricted-exports': [
        'error',
        { restrictDefaultExports: { direct: true, named: true, defaultFrom: true, namedFrom: true, namespaceFrom: true } },
      ],
      'no-restricted-properties': ['error', readsEnvironment],
    },
  },
  { files: ['src/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: sandbox.map((folder) => `src/${folder}/**/*.ts`),
    rules: {
      'no-restricted-globals': [
        'error',
        ...['process', 'Buffer', 'fetch', 'setInterval', 'WeakRef', 'FinalizationRegistry'].map((name) => ({
          name,
          message: 'This code may run in the workflow sandbox, where it does not exist or does not replay.',
        })),
      ],
      'no-restricted-properties': ['error', clock, dice],
    },
  },
  {
    // The sandbox replays `new Date()`; contract and state run outside it as well, where nothing does.
    files: ['src/contract/**/*.ts', 'src/state/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clock.message }],
    },
  },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { require: 'readonly', exports: 'writable' } },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  { files: ['**/*.js'], languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } } },
);
