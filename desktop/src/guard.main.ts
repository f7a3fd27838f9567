/** Holds every page of the desk where it belongs, whatever it tries: navigation, new windows, embedded views, log-ins. */
import type { CurrentBox, ElectronApi, Log } from './electron-api.main.ts';
import { mayNavigate } from './guard.shared.ts';

export function guardContents(app: ElectronApi['app'], box: CurrentBox, log: Log): void {
  app.on('web-contents-created', (_created, contents) => {
    const check = (event: { preventDefault: () => void }, url: string): void => {
      if (mayNavigate(box()?.origin, url)) return;
      event.preventDefault();
      log('navigation_blocked', { url: url.slice(0, 200) });
    };
    contents.on('will-navigate', (event) => check(event, event.url));
    contents.on('will-redirect', (event) => check(event, event.url));
    contents.on('will-frame-navigate', (event) => check(event, event.url));
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(({ url }) => {
      log('window_denied', { url: url.slice(0, 200) });
      return { action: 'deny' };
    });
  });
  // The verify proc has the say; whatever still comes here is refused.
  app.on('certificate-error', (event, _contents, url, error, _certificate, done) => {
    event.preventDefault();
    log('certificate_error', { url: url.slice(0, 200), error });
    done(false);
  });
  app.on('select-client-certificate', (event, _contents, _url, _list, done) => {
    event.preventDefault();
    done();
  });
  app.on('login', (event) => event.preventDefault());
}
