import { flushPromises, mount } from '@vue/test-utils';
import { createPinia } from 'pinia';
import { TooltipProvider } from 'reka-ui';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { h } from 'vue';
import { createMemoryHistory, createRouter } from 'vue-router';
import { i18n, loadMessages } from '#app/i18n.ts';
import { anEnd, fakeAgents, type FakeAgent } from '#features/phone/testing/fake-agent.ts';
import EmergencyBanner from './EmergencyBanner.vue';
import EmergencyScreen from './EmergencyScreen.vue';
import { setCaller } from './caller.ts';
import { emergencyInfo, keepPlace } from './emergency-info.ts';
import { emergencyAsked, emergencyBusy } from './open-emergency.ts';
import { notices, takeNotice, noticeType } from './notices.ts';

const hostile = '<img src=x onerror="window.__xss=1">';
let agents: ReturnType<typeof fakeAgents>;

beforeEach(async () => {
  localStorage.clear();
  sessionStorage.clear();
  setCaller(undefined);
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no route to the box')));
  agents = fakeAgents();
  emergencyInfo.value = {
    domain: 'box.example',
    numbers: [
      { number: '911', label: '', test: false },
      { number: '112', label: '', test: false },
      { number: '933', label: '', test: true },
    ],
    locations: [
      { id: 'lobby', label: 'Lobby', nearest_phone: '205' },
      { id: 'gate', label: hostile, nearest_phone: null },
    ],
    default_location_id: 'lobby',
    ready: true,
    notes: '',
  };
  await loadMessages(['app', 'emergency-line']);
});
afterEach(() => {
  vi.unstubAllGlobals();
  document.body.innerHTML = '';
});

async function open(number = '') {
  emergencyAsked.value = { number };
  const wrapper = mount(EmergencyScreen, {
    props: { number, makeAgent: agents.load },
    attachTo: document.body,
    global: { plugins: [i18n] },
  });
  await flushPromises();
  const [agent] = agents.made as [FakeAgent];
  agent.events.connected(true);
  await flushPromises();
  return { wrapper, agent };
}

describe('the screen of an emergency call', () => {
  it('offers the numbers and calls nobody before one is pressed', async () => {
    const { wrapper, agent } = await open();
    const buttons = wrapper.findAll('[data-test^="emergency-call-"]').map((one) => one.text());
    expect(buttons).toEqual(['Call 911', 'Call 112', 'Test call 933']);
    expect(wrapper.text()).toContain('Nobody is signed in here');
    expect(agent.orders).toEqual([]);
    wrapper.unmount();
  });

  it('calls with one press, from the default place, and says what to say', async () => {
    const { wrapper, agent } = await open('911');
    await wrapper.get('[data-test="emergency-call-911"]').trigger('click');
    await flushPromises();
    expect(agent.orders[0]).toMatchObject({ number: '911', headers: ['X-Siphera-Location: lobby'] });
    agent.calls[0]?.events?.answered();
    await flushPromises();
    expect(wrapper.text()).toContain('Connected with 911');
    expect(wrapper.text()).toContain('where you are: Lobby');
    // jsdom has no microphone: the call goes all the same.
    expect(wrapper.text()).toContain('They cannot hear you');
    expect(emergencyBusy.value).toBe(true);
    await wrapper.get('[data-test="emergency-hang-up"]').trigger('click');
    await flushPromises();
    expect(wrapper.text()).toContain('You have hung up');
    wrapper.unmount();
    expect(agent.stopped).toBe(true);
    expect(emergencyBusy.value).toBe(false);
  });

  it('remembers the place that was chosen last at this browser, and shows it as it was written', async () => {
    keepPlace('gate');
    const { wrapper, agent } = await open('911');
    expect((wrapper.get('select').element as HTMLSelectElement).value).toBe('gate');
    await wrapper.get('[data-test="emergency-call-911"]').trigger('click');
    await flushPromises();
    expect(agent.orders[0]?.headers).toEqual(['X-Siphera-Location: gate']);
    expect(wrapper.text()).toContain(hostile);
    expect(document.querySelectorAll('img')).toHaveLength(0);
    wrapper.unmount();
  });

  it('sends to the phone that works when the box can carry no sound', async () => {
    const { wrapper, agent } = await open('911');
    await wrapper.get('[data-test="emergency-call-911"]').trigger('click');
    await flushPromises();
    agent.calls[0]?.events?.ended(anEnd({ code: 503, reason: 'No media relay', nearestPhone: '205' }));
    await flushPromises();
    expect(wrapper.get('[role="alert"]').text()).toContain('Go to the phone 205');
    wrapper.unmount();
  });

  it('marks a test call as one', async () => {
    const { wrapper, agent } = await open('933');
    expect(wrapper.findAll('[data-test^="emergency-call-"]').map((one) => one.text())).toEqual([
      'Test call 933',
    ]);
    await wrapper.get('[data-test="emergency-call-933"]').trigger('click');
    await flushPromises();
    expect(agent.orders[0]?.number).toBe('933');
    expect(wrapper.text()).toContain('Nobody is sent.');
    wrapper.unmount();
  });

  it('cannot be closed by accident while one talks', async () => {
    const { wrapper, agent } = await open('911');
    await wrapper.get('[data-test="emergency-call-911"]').trigger('click');
    await flushPromises();
    agent.calls[0]?.events?.answered();
    await flushPromises();
    expect(wrapper.find('[data-test="emergency-close"]').exists()).toBe(false);
    await wrapper.get('dialog').trigger('cancel');
    expect(emergencyAsked.value).toBeDefined();
    wrapper.unmount();
  });

  it('calls as who the softphone says sits here', async () => {
    setCaller({ number: '201', name: 'Anna' });
    const { wrapper, agent } = await open();
    expect(wrapper.text()).toContain('Calls as Anna, number 201');
    expect(agent.account.uri).toBe('sip:201@box.example');
    wrapper.unmount();
  });
});

describe('the notice of an emergency call', () => {
  it('says who, where and the call-back as text, until somebody has understood', async () => {
    notices.value = [];
    takeNotice(
      noticeType,
      JSON.stringify({
        v: 1,
        uid: 'u-1',
        kind: 'emergency',
        state: 'started',
        number: '911',
        caller: hostile,
        verified: false,
        location_id: 'lobby',
        location: 'Lobby',
        callback: '+15550100',
        at: 1_790_000_000,
      }),
    );
    const router = createRouter({
      history: createMemoryHistory(),
      routes: [{ path: '/:rest(.*)*', component: { render: () => h('div') } }],
    });
    const wrapper = mount(
      () =>
        h(TooltipProvider, () =>
          h(EmergencyBanner, { planOf: () => Promise.resolve('/plans/f-1?device=d-1') }),
        ),
      { attachTo: document.body, global: { plugins: [i18n, createPinia(), router] } },
    );
    await flushPromises();
    const text = wrapper.text();
    for (const part of [
      'Emergency call 911',
      hostile,
      '(not proved)',
      'Where: Lobby',
      'Call back: +15550100',
    ])
      expect(text).toContain(part);
    expect(document.querySelectorAll('img')).toHaveLength(0);
    expect(wrapper.get('a').attributes('href')).toBe('/plans/f-1?device=d-1');
    await wrapper.get('[data-test="notice-read"]').trigger('click');
    expect(wrapper.find('[data-test="emergency-notice"]').exists()).toBe(false);
    wrapper.unmount();
  });
});
