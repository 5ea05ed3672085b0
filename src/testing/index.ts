/** What we test with, for your tests: a model that says what you script, and a world around a Temporal test environment. */
export { openWorld, type World, type WorldOptions } from './world.js';
export {
  scriptedModel,
  type Script,
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptLine,
  type ScriptPart,
} from './scripted-model.js';
