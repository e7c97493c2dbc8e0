import numpy as np,glob
exec(open('/tmp/work/l06/peek.py').read().split("for n,rs in rows.items()")[0])
from pgcourse.statistics import interquartile_mean as iqm, bootstrap_interval as bi
K=5
vals={}
for n,rs in rows.items():
    rs=[r for r in rs if r.seed<100+K]
    for k,m in f.METRICS.items():
        vals[f'{n}/{k}']={'unit':m.unit,'per_seed':[m.measure(r) for r in rs]}
for e,v in f.effect_values(vals).items():
    x=np.array(v['per_seed'],float); lo,hi=bi(x); print(e, f'{iqm(x):.3g} [{lo:.3g}, {hi:.3g}]', '*' if not lo<=0<=hi else '')
for n in rows: print(n, {k:[round(v,3) if v is not None else None for v in vals[f'{n}/{k}']['per_seed']] for k in ('at_1000','late','at_60k')})
