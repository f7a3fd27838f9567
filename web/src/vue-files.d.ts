/** What a `.vue` file is to tools that do not compile it (the linter); vue-tsc knows each one's own props. */
declare module '*.vue' {
  import type { DefineComponent } from 'vue';

  const component: DefineComponent<object, object, unknown>;
  export default component;
}
