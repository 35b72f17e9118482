import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { publishedSchemas } from '../support/published-schemas.ts';

const folder = fileURLToPath(new URL('../../docs/schema/', import.meta.url));
const update = process.env['PLIMSOLL_UPDATE_SCHEMAS'] === '1';

describe('the published schemas', () => {
  for (const [name, text] of publishedSchemas()) {
    it(`${name} in docs/schema is what the code makes (PLIMSOLL_UPDATE_SCHEMAS=1 writes it)`, () => {
      if (update) {
        mkdirSync(folder, { recursive: true });
        writeFileSync(folder + name, text);
      }
      expect(readFileSync(folder + name, 'utf8')).toBe(text);
    });

    it(`${name} is a valid JSON Schema of draft 2020-12`, () => {
      const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
      expect(ajv.validateSchema(JSON.parse(text))).toBe(true);
      expect(() => ajv.compile(JSON.parse(text))).not.toThrow();
    });
  }

  it('are all that lies in docs/schema', () => {
    expect(readdirSync(folder).sort()).toEqual([...publishedSchemas().keys()].sort());
  });
});
