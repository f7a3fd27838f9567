/** Says why the box is not shown. */
import { byId, fillTexts } from './page-text.renderer.ts';

fillTexts();
const why = new URLSearchParams(location.search).get('why') === 'certificate' ? 'certificate' : 'network';
byId(why, HTMLParagraphElement).hidden = false;
