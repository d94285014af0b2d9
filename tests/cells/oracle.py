"""Every cell once more, in plain numpy, from the equations of the papers: slow, and without a line of the library.

A step takes the parameters as a dict from path to array, the input, and the state as a dict; it gives the new state and
the output. Everything is analytic (or split by the real part), so that complex numbers go through and derivatives come
from complex steps: `f'(p) = Im f(p + 1e-30 i) / 1e-30`, exact to rounding.
"""

import numpy as np


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def relu(a):
    return np.where(a.real > 0, a, 0)


def layer_norm(a):
    centred = a - a.sum() / a.size
    return centred / np.sqrt((centred * centred).sum() / a.size + 1e-5)


ACTIVATIONS = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "linear": lambda a: a}


def elman(p, x, s, activation="tanh"):
    h = ACTIVATIONS[activation](p["W"][0] @ x + p["R"][0] @ s["h"] + p["b"][0])
    return {"h": h}, h


def echo_state(p, x, s, leak=1.0):
    h = (1 - leak) * s["h"] + leak * np.tanh(p["W"][0] @ x + p["R"][0] @ s["h"] + p["b"][0])
    return {"h": h}, h


def elman_layernorm(p, x, s):
    h = np.tanh(p["gain"][0] * layer_norm(p["W"][0] @ x + p["R"][0] @ s["h"]) + p["b"][0])
    return {"h": h}, h


def jordan(p, x, s, activation="tanh", output_activation="linear"):
    hidden = ACTIVATIONS[activation](p["W"][0] @ x + p["b"][0] + p["R"][0] @ s["y"])
    y = ACTIVATIONS[output_activation](p["V"] @ hidden + p["b_y"])
    return {"y": y}, y


def indrnn(p, x, s, activation="relu"):
    h = ACTIVATIONS[activation](p["W"][0] @ x + p["b"][0] + p["u"] * s["h"])
    return {"h": h}, h


def elstm(p, x, s):
    z, f = (W @ x + b + w * s["h"] for W, b, w in zip(p["W"], p["b"], p["w"], strict=True))
    h = sigmoid(f) * s["h"] + (1 - sigmoid(f)) * np.tanh(z)
    return {"h": h}, h


def recollect(p, x, s, slope=2.0, theta=0.0):
    g, c = (1 / (1 + np.exp(theta - slope * (W @ x + b))) for W, b in zip(p["W"], p["b"], strict=True))
    h = g * s["h"] + (1 - g) * c
    return {"h": h}, h


def augment(p, x, s, theta=2.5):
    change = x - s["seen"]
    h = s["h"] + p["M"] @ np.concatenate([relu(change), relu(-change)])
    return {"h": h, "seen": x}, sigmoid(np.concatenate([p["V"] @ x + p["b"], h]) - theta)


def ctrnn(p, x, s, step=0.1, method="euler"):
    tau = np.exp(p["log_tau"])
    drive = p["W"][0] @ x + p["R"][0] @ sigmoid(p["gain"] * (s["v"] + p["theta"]))
    part = step / tau if method == "euler" else 1 - np.exp(-step / tau)
    v = s["v"] + part * (drive - s["v"])
    return {"v": v}, sigmoid(p["gain"] * (v + p["theta"]))


def ctrnn_rk4(p, x, s, step=0.1):
    p = {name.removeprefix("cell."): value for name, value in p.items()}
    tau, show = np.exp(p["log_tau"]), lambda v: sigmoid(p["gain"] * (v + p["theta"]))

    def slope(v):
        return (p["W"][0] @ x + p["R"][0] @ show(v) - v) / tau

    v = s["v"]
    k1 = slope(v)
    k2 = slope(v + step / 2 * k1)
    k3 = slope(v + step / 2 * k2)
    k4 = slope(v + step * k3)
    v = v + step * (k1 + 2 * k2 + 2 * k3 + k4) / 6
    return {"v": v}, show(v)


def iir(p, x, s):
    y = np.zeros(p["w"].shape[1:], np.result_type(*p.values(), x, *s.values()))
    for n, m in np.ndindex(y.shape):
        y[n, m] = p["w"][0, n, m] * x[m] + sum(p["w"][k + 1, n, m] * s["x"][k, m] for k in range(len(s["x"])))
        y[n, m] += sum(p["v"][k, n, m] * s["y"][k, n, m] for k in range(len(s.get("y", ()))))
    new = {"x": np.concatenate([x[None], s["x"][:-1]])}
    if "y" in s:
        new["y"] = np.concatenate([y[None], s["y"][:-1]])
    return new, np.tanh(y.sum(axis=1) + p["b"])


def rmlp(p, x, s):
    z = x
    layer = 0
    while f"weights[{layer}]" in p:
        z = np.tanh(p[f"weights[{layer}]"] @ z + p[f"biases[{layer}]"])
        layer += 1
    h = np.tanh(p["W"][0] @ z + p["b"][0] + p["R"][0] @ s["h"])
    return {"h": h}, h


def lstm(p, x, s):
    Wi, Wf, Wg, Wo = p["W"]
    Ri, Rf, Rg, Ro = p["R"]
    bi, bf, bg, bo = p["b"]
    i = sigmoid(Wi @ x + bi + Ri @ s["h"])
    f = sigmoid(Wf @ x + bf + Rf @ s["h"])
    g = np.tanh(Wg @ x + bg + Rg @ s["h"])
    o = sigmoid(Wo @ x + bo + Ro @ s["h"])
    c = f * s["c"] + i * g
    h = o * np.tanh(c)
    return {"h": h, "c": c}, h


def lstm_peephole(p, x, s):
    Wi, Wf, Wg, Wo = p["W"]
    Ri, Rf, Rg, Ro = p["R"]
    bi, bf, bg, bo = p["b"]
    pi, pf, po = p["p"]
    i = sigmoid(Wi @ x + bi + Ri @ s["h"] + pi * s["c"])
    f = sigmoid(Wf @ x + bf + Rf @ s["h"] + pf * s["c"])
    g = np.tanh(Wg @ x + bg + Rg @ s["h"])
    c = f * s["c"] + i * g
    o = sigmoid(Wo @ x + bo + Ro @ s["h"] + po * c)
    h = o * np.tanh(c)
    return {"h": h, "c": c}, h


def lstm_peephole_simple(p, x, s):
    Wi, Wf, Wg, Wo = p["W"]
    Ri, Rf, Ro = p["R"]
    bi, bf, bg, bo = p["b"]
    i = sigmoid(Wi @ x + Ri @ s["c"] + bi)
    f = sigmoid(Wf @ x + Rf @ s["c"] + bf)
    o = sigmoid(Wo @ x + Ro @ s["c"] + bo)
    c = f * s["c"] + i * np.tanh(Wg @ x + bg)
    h = o * np.tanh(c)
    return {"h": h, "c": c}, h


def lstm_1997(p, x, s):
    Wi, Wg, Wo = p["W"]
    Ri, Rg, Ro = p["R"]
    bi, bg, bo = p["b"]
    i = sigmoid(Wi @ x + bi + Ri @ s["h"])
    g = 4 * sigmoid(Wg @ x + bg + Rg @ s["h"]) - 2
    o = sigmoid(Wo @ x + bo + Ro @ s["h"])
    c = s["c"] + i * g
    h = o * (2 * sigmoid(c) - 1)
    return {"h": h, "c": c}, h


def lstm_coupled(p, x, s):
    Wi, Wg, Wo = p["W"]
    Ri, Rg, Ro = p["R"]
    bi, bg, bo = p["b"]
    i = sigmoid(Wi @ x + bi + Ri @ s["h"])
    f = 1 - i
    g = np.tanh(Wg @ x + bg + Rg @ s["h"])
    o = sigmoid(Wo @ x + bo + Ro @ s["h"])
    c = f * s["c"] + i * g
    h = o * np.tanh(c)
    return {"h": h, "c": c}, h


def lstm_projection(p, x, s):
    Wi, Wf, Wg, Wo = p["W"]
    Ri, Rf, Rg, Ro = p["R"]
    bi, bf, bg, bo = p["b"]
    i = sigmoid(Wi @ x + bi + Ri @ s["h"])
    f = sigmoid(Wf @ x + bf + Rf @ s["h"])
    g = np.tanh(Wg @ x + bg + Rg @ s["h"])
    o = sigmoid(Wo @ x + bo + Ro @ s["h"])
    c = f * s["c"] + i * g
    h = p["P"] @ (o * np.tanh(c))
    return {"h": h, "c": c}, h


def lstm_layernorm(p, x, s):
    n = p["cell.b"].shape[1]
    from_x = p["gain_x"].reshape(-1) * layer_norm(p["cell.W"].reshape(4 * n, -1) @ x)
    from_h = p["gain_h"].reshape(-1) * layer_norm(p["cell.R"].reshape(4 * n, n) @ s["h"])
    a = from_x + from_h + p["cell.b"].reshape(-1)
    c = sigmoid(a[n : 2 * n]) * s["c"] + sigmoid(a[:n]) * np.tanh(a[2 * n : 3 * n])
    h = sigmoid(a[3 * n :]) * np.tanh(p["cell.gain_c"] * layer_norm(c) + p["cell.b_c"])
    return {"h": h, "c": c}, h


def gru(p, x, s, convention="torch"):
    Wr, Wz, Wn = p["W"]
    Rr, Rz, Rn = p["R"]
    br, bz, bn = p["b"]
    cr, cz, cn = p["b_h"] if "b_h" in p else np.zeros_like(p["b"])
    r = sigmoid(Wr @ x + br + Rr @ s["h"] + cr)
    z = sigmoid(Wz @ x + bz + Rz @ s["h"] + cz)
    n = np.tanh(Wn @ x + bn + r * (Rn @ s["h"] + cn))
    h = z * s["h"] + (1 - z) * n if convention == "torch" else (1 - z) * s["h"] + z * n
    return {"h": h}, h


def gru_before(p, x, s, convention="torch"):
    Wr, Wz, Wn = p["W"]
    Rr, Rz, Rn = p["R"]
    br, bz, bn = p["b"]
    r = sigmoid(Wr @ x + br + Rr @ s["h"])
    z = sigmoid(Wz @ x + bz + Rz @ s["h"])
    n = np.tanh(Wn @ x + bn + Rn @ (r * s["h"]))
    h = z * s["h"] + (1 - z) * n if convention == "torch" else (1 - z) * s["h"] + z * n
    return {"h": h}, h


def gru_layernorm(p, x, s):
    n = p["cell.b"].shape[1]
    W, R = p["cell.W"].reshape(3 * n, -1), p["cell.R"].reshape(3 * n, n)
    from_x = np.concatenate([layer_norm(W[: 2 * n] @ x), layer_norm(W[2 * n :] @ x)])
    from_h = np.concatenate([layer_norm(R[: 2 * n] @ s["h"]), layer_norm(R[2 * n :] @ s["h"])])
    from_x = p["gain_x"].reshape(-1) * from_x + p["cell.b"].reshape(-1)
    from_h = p["gain_h"].reshape(-1) * from_h + p["b_h"].reshape(-1)
    r = sigmoid(from_x[:n] + from_h[:n])
    z = sigmoid(from_x[n : 2 * n] + from_h[n : 2 * n])
    candidate = np.tanh(from_x[2 * n :] + r * from_h[2 * n :])
    h = z * s["h"] + (1 - z) * candidate
    return {"h": h}, h


def gru1(p, x, s):
    (Wn,) = p["W"]
    Rr, Rz, Rn = p["R"]
    br, bz, bn = p["b"]
    r = sigmoid(Rr @ s["h"] + br)
    z = sigmoid(Rz @ s["h"] + bz)
    h = (1 - z) * s["h"] + z * np.tanh(Wn @ x + Rn @ (r * s["h"]) + bn)
    return {"h": h}, h


def gru2(p, x, s):
    (Wn,) = p["W"]
    Rr, Rz, Rn = p["R"]
    (bn,) = p["b"]
    r = sigmoid(Rr @ s["h"])
    z = sigmoid(Rz @ s["h"])
    h = (1 - z) * s["h"] + z * np.tanh(Wn @ x + Rn @ (r * s["h"]) + bn)
    return {"h": h}, h


def gru3(p, x, s):
    (Wn,) = p["W"]
    (Rn,) = p["R"]
    br, bz, bn = p["b"]
    r = sigmoid(br)
    z = sigmoid(bz)
    h = (1 - z) * s["h"] + z * np.tanh(Wn @ x + Rn @ (r * s["h"]) + bn)
    return {"h": h}, h


def mgu(p, x, s):
    Wf, Wn = p["W"]
    Rf, Rn = p["R"]
    bf, bn = p["b"]
    f = sigmoid(Wf @ x + Rf @ s["h"] + bf)
    h = (1 - f) * s["h"] + f * np.tanh(Wn @ x + Rn @ (f * s["h"]) + bn)
    return {"h": h}, h


def mgu1(p, x, s):
    (Wn,) = p["W"]
    Rf, Rn = p["R"]
    bf, bn = p["b"]
    f = sigmoid(Rf @ s["h"] + bf)
    h = (1 - f) * s["h"] + f * np.tanh(Wn @ x + Rn @ (f * s["h"]) + bn)
    return {"h": h}, h


def mgu2(p, x, s):
    (Wn,) = p["W"]
    Rf, Rn = p["R"]
    (bn,) = p["b"]
    f = sigmoid(Rf @ s["h"])
    h = (1 - f) * s["h"] + f * np.tanh(Wn @ x + Rn @ (f * s["h"]) + bn)
    return {"h": h}, h


def mgu3(p, x, s):
    (Wn,) = p["W"]
    (Rn,) = p["R"]
    bf, bn = p["b"]
    f = sigmoid(bf)
    h = (1 - f) * s["h"] + f * np.tanh(Wn @ x + Rn @ (f * s["h"]) + bn)
    return {"h": h}, h


def mgu_after(p, x, s):
    Wf, Wn = p["W"]
    Rf, Rn = p["R"]
    bf, bn = p["b"]
    f = sigmoid(Wf @ x + Rf @ s["h"] + bf)
    h = (1 - f) * s["h"] + f * np.tanh(Wn @ x + f * (Rn @ s["h"]) + bn)
    return {"h": h}, h


def min_gru(p, x, s, candidate="linear"):
    (Wz, Wn), (bz, bn) = p["W"], p["b"]
    z = sigmoid(Wz @ x + bz)
    h = (1 - z) * s["h"] + z * proposed(Wn @ x + bn, candidate)
    return {"h": h}, h


def min_lstm(p, x, s, candidate="linear"):
    (Wf, Wi, Wn), (bf, bi, bn) = p["W"], p["b"]
    f, i = sigmoid(Wf @ x + bf), sigmoid(Wi @ x + bi)
    h = (f * s["h"] + i * proposed(Wn @ x + bn, candidate)) / (f + i)
    return {"h": h}, h


def proposed(a, candidate):
    return a if candidate == "linear" else np.where(a.real >= 0, a + 0.5, sigmoid(a))


def slstm(p, x, s, forget="sigmoid"):
    """The published equations, with the memory and its normaliser themselves."""
    ai, af, az, ao = (W @ x + R @ s["h"] + b for W, R, b in zip(p["W"], p["R"], p["b"], strict=True))
    n = np.exp(s["weight"])
    c = s["c"] * n
    f = sigmoid(af) if forget == "sigmoid" else np.exp(af)
    c, n = f * c + np.exp(ai) * np.tanh(az), f * n + np.exp(ai)
    h = sigmoid(ao) * c / n
    return {"h": h, "c": c / n, "weight": np.log(n)}, h


def cornn(p, x, s, step=0.1, gamma=1.0, epsilon=1.0):
    drive = np.tanh(p["W"][0] @ x + p["b"][0] + p["R"][0] @ s["y"] + p["R"][1] @ s["z"])
    z = s["z"] + step * (drive - gamma * s["y"] - epsilon * s["z"])
    y = s["y"] + step * z
    return {"y": y, "z": z}, y


def orthogonal(p, x, s):
    S = p["A"][0] - p["A"][0].T
    eye = np.eye(len(S))
    a = p["W"][0] @ x + np.linalg.solve(eye + S, eye - S) @ s["h"]
    turn = np.where(a.real >= 0, 1, -1)
    h = turn * relu(turn * a + p["b"])
    return {"h": h}, h


def ltc(p, x, s, step=1.0):
    f = sigmoid(p["W"][0] @ x + p["R"][0] @ s["h"] + p["b"][0])
    h = (s["h"] + step * f * p["A"]) / (1 + step * (1 / np.exp(p["log_tau"]) + f))
    return {"h": h}, h


def cfc(p, x, s, step=1.0):
    af, ag, au, av = (W @ x + R @ s["h"] + b for W, R, b in zip(p["W"], p["R"], p["b"], strict=True))
    gate = sigmoid(au * step + av)
    h = np.tanh(af) * (1 - gate) + gate * np.tanh(ag)
    return {"h": h}, h


def clockwork(p, x, s, periods=None):
    n = len(s["h"])
    periods = periods or [2**k for k in range(min(8, n))]
    groups = np.array_split(range(n), len(periods))
    period = np.concatenate([[t] * len(group) for t, group in zip(periods, groups, strict=True)])
    h, wait = s["h"] + 0 * x.sum(), s["wait"] - 1
    for i in range(n):
        if s["wait"][i].real <= 0:
            heard = sum(p["R"][0, i, j] * s["h"][j] for j in range(n) if period[j] >= period[i])
            value = np.tanh(p["W"][0, i] @ x + p["b"][0, i] + heard)
            h = np.where(np.arange(n) == i, value, h)
            wait = np.where(np.arange(n) == i, p["pause"][i], wait)
    return {"h": h, "wait": wait}, h


def mtrnn(p, x, s):
    n, fast = len(s["u"]), p["W"].shape[1]
    drive = p["R"][0] @ np.tanh(s["u"]) + p["b"][0]
    drive = drive + np.concatenate([p["W"][0] @ x, np.zeros(n - fast)])
    u = s["u"] + p["rate"] * (drive - s["u"])
    return {"u": u}, p["seen"] * np.tanh(u)


def hm_lstm(p, x, s):
    levels = len(s["z"])
    borders = np.cumsum([0] + [len(part) for part in np.array_split(np.arange(len(s["h"])), levels)])
    before = [{k: s[k][borders[n] : borders[n + 1]] for k in "hc"} for n in range(levels)]
    below, z_below, after, z = x, 1.0, [], []
    for n, old in enumerate(before):
        a = p[f"R[{n}]"] @ old["h"] + z_below * (p[f"W[{n}]"] @ below) + p[f"b[{n}]"]
        if n < levels - 1:
            a = a + s["z"][n] * (p[f"D[{n}]"] @ before[n + 1]["h"])
        i, f, g, o = a[: 4 * len(old["h"])].reshape(4, -1)
        flush, written = (s["z"][n] if n < levels - 1 else 0.0), sigmoid(i) * np.tanh(g)
        c = written + (1 - flush) * (z_below * sigmoid(f) * old["c"] + (1 - z_below) * (old["c"] - written))
        kept = (1 - flush) * (1 - z_below)
        below = kept * old["h"] + (1 - kept) * sigmoid(o) * np.tanh(c)
        after.append((below, c))
        # Straight through: the real part is the step, the imaginary one the ramp's.
        ramp = (p["slope"] * a[-1] + 1) / 2 if n < levels - 1 else 0.0
        z_below = float(np.real(ramp) > 0.5)
        if np.iscomplexobj(ramp) and 0 < np.real(ramp) < 1:
            z_below += 1j * np.imag(ramp)
        z.append(z_below)
    h, c = (np.concatenate(parts) for parts in zip(*after, strict=True))
    shown = [gate * part for gate, (part, _) in zip(sigmoid(p["G"] @ h), after, strict=True)]
    return {"h": h, "c": c, "z": np.array(z)}, np.concatenate(shown)


def es2n(p, x, s, proximity=0.1):
    new = np.tanh(p["W"][0] @ x + p["b"][0] + p["R"][0] @ s["h"])
    h = proximity * new + (1 - proximity) * (p["R"][1] @ s["h"])
    return {"h": h}, h


def second_order(p, x, s):
    h = sigmoid(np.einsum("k,kij,j->i", x, p["R"], s["h"]) + p["b"])
    return {"h": h}, h


STEPS = {
    "augment": augment,
    "cfc": cfc,
    "clockwork": clockwork,
    "cornn": cornn,
    "ctrnn": ctrnn,
    "ctrnn-rk4": ctrnn_rk4,
    "echo-state": echo_state,
    "elman": elman,
    "elman-layernorm": elman_layernorm,
    "elstm": elstm,
    "es2n": es2n,
    "fir": iir,
    "gru": gru,
    "gru-before": gru_before,
    "gru-layernorm": gru_layernorm,
    "gru1": gru1,
    "gru2": gru2,
    "gru3": gru3,
    "hm-lstm": hm_lstm,
    "iir": iir,
    "indrnn": indrnn,
    "jordan": jordan,
    "lstm": lstm,
    "lstm-1997": lstm_1997,
    "lstm-coupled": lstm_coupled,
    "lstm-layernorm": lstm_layernorm,
    "lstm-peephole": lstm_peephole,
    "lstm-peephole-simple": lstm_peephole_simple,
    "lstm-projection": lstm_projection,
    "ltc": ltc,
    "mgu": mgu,
    "mgu-after": mgu_after,
    "mgu1": mgu1,
    "mgu2": mgu2,
    "mgu3": mgu3,
    "min-gru": min_gru,
    "min-lstm": min_lstm,
    "mtrnn": mtrnn,
    "orthogonal": orthogonal,
    "recollect": recollect,
    "rmlp": rmlp,
    "second-order": second_order,
    "slstm": slstm,
}


def through_time(step, p, xs, state):
    """Outputs `(time, output)` and the last state."""
    ys = []
    for x in xs:
        state, y = step(p, x, state)
        ys.append(y)
    return np.array(ys), state


def gradients(value, p, step=1e-30):
    """Derivatives of `value(p)` by every entry of every array, one complex step each."""
    found = {}
    for name, array in p.items():
        flat = np.zeros(array.size)
        for k in range(array.size):
            moved = array.astype(complex).reshape(-1)
            moved[k] += 1j * step
            flat[k] = value({**p, name: moved.reshape(array.shape)}).imag / step
        found[name] = flat.reshape(array.shape)
    return found
